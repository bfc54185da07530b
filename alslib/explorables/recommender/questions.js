/* The interview: a movie at a time to rate, chosen so that the answer teaches most. */

import { button, make } from "../shared.js";
import { nextQuestion } from "./interview.js";
import { starSlider } from "./stars.js";

/* `profile` returns that of the person asked, in the model of stars; `rate` and `remove` are called
   with a row. `elements` are a button that begins and what is asked. */
export function questions(model, { profile, rate, remove }) {
  let strange = []; // the rows of movies that were asked about and have not been seen
  let asked = null; // the row of the present question
  const question = make("p", { id: "als-question" });
  const answer = starSlider(
    {
      "aria-labelledby": question.id,
      input: () => {
        answer.show(answer.rating);
        rate(asked, answer.rating);
      },
      keydown: ({ key }) => key === "Enter" && answer.rating !== null && ask(),
    },
    model.scale,
  );
  const further = button("Next", ask);
  const notSeen = button("Haven’t seen it", () => {
    strange = [...strange, asked];
    remove(asked);
    ask();
  });
  const enough = button("Enough", () => {
    [interview.hidden, begin.hidden] = [true, false];
    begin.focus();
  });
  const begin = button("Ask me", ask);
  const interview = make(
    "div", { class: "als-interview", hidden: true },
    question, answer.element, make("div", { class: "als-row" }, further, notSeen, enough),
  );

  /* Ask the next question. */
  function ask() {
    asked = nextQuestion(model, profile(), strange);
    const over = asked === null;
    question.textContent = over
      ? "There is no other movie to ask about."
      : `How many stars for ${model.items.title[asked]}?`;
    answer.show(null);
    answer.element.hidden = further.hidden = notSeen.hidden = over;
    [interview.hidden, begin.hidden] = [false, true];
    (over ? enough : answer.slider).focus();
  }

  return { elements: [begin, interview], forget: () => (strange = []) };
}

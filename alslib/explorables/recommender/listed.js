/* The list of recommended movies, each with stars to give and the reasons why it is there. */

import { make, plural } from "../shared.js";
import { arrange } from "./arrange.js";
import { interval, predicted } from "./model.js";
import { reasons } from "./reasons.js";
import { starSlider } from "./stars.js";

export const shownStars = (model, profile, row) => predicted(model, profile, row).toFixed(1);

function within(model, profile, row) {
  const [low, high] = interval(model, profile, row).map((end) => end.toFixed(1));
  return `${10 * model.interval.share} in 10 such ratings lie from ${low} to ${high}`;
}

/* `rate` is called with a row and its stars, `again` when the list is to be shown anew, and `exit`
   is an element for the focus where the list becomes empty. */
export function movieList(model, { rate, again, exit }) {
  const element = make("ol", { class: "als-list" });
  let entries = []; // as they stand in the list
  let made = 0;

  /* The entry whose stars are being moved. Its movie is rated and will leave the list, but not
     while a key or a pointer still moves them. */
  let held = null;

  function entry() {
    const { items } = model;
    const id = `als-listed-${made++}`;
    let pointer = false;
    const stars = starSlider(
      {
        "aria-labelledby": id,
        pointerdown: () => (pointer = true),
        keydown: ({ key }) => {
          pointer = false;
          if (key === "Enter" && held !== null) release(stars.slider);
        },
        input: () => {
          held = self;
          stars.show(stars.rating);
          rate(self.row, stars.rating);
        },
        change: () => pointer && release(stars.slider),
        blur: ({ relatedTarget }) => held === self && release(relatedTarget),
      },
      model.scale,
    );
    const value = make("span");
    const title = make("span", { id, class: "als-title" });
    const facts = make("span", { class: "als-muted als-small" });
    const why = reasons(model);
    const always = [
      make(
        "span", { class: "als-value" },
        value,
        make("span", { "aria-hidden": "true" }, "★"),
        make("span", { class: "als-unseen" }, " stars predicted"),
      ),
      make("div", { class: "als-what" }, title, facts),
      stars.element,
    ];
    const self = {
      row: null,
      stars,
      why,
      element: make("li", { class: "als-entry" }),
      show(profile, ranking, row, unfolded) {
        self.row = row;
        pointer = false;
        const recent = ranking ? "" : `, ${items.n_recent[row]} of them recent`;
        value.textContent = shownStars(model, profile, row);
        title.textContent = items.title[row];
        facts.textContent = [
          items.genres[row].map((genre) => model.genres[genre]).join(", "),
          plural(items.n_ratings[row], "rating") + recent,
          model.interval && within(model, profile, row),
        ].filter(Boolean).join(" · ");
        stars.show(null);
        why.element.open = unfolded;
        arrange(self.element, ranking ? [...always, why.element] : always);
        if (ranking) why.show(ranking, row);
      },
    };
    return self;
  }

  /* Entries stay in their places and show other movies: to make or to move one takes longer than to
     fill it. But one with the focus is made anew, or its name would change unheard. */
  function show(profile, ranking, rows) {
    const unfolded = new Set(entries.filter(({ why }) => why.element.open).map(({ row }) => row));
    const unheard = (one, row) =>
      one.row !== row && one.element.contains(document.activeElement);
    const reused = (one, row) => (one && !unheard(one, row) ? one : entry());
    entries = rows.map((row, i) => reused(entries[i], row));
    entries.forEach((one, i) => one.show(profile, ranking, rows[i], unfolded.has(rows[i])));
    arrange(element, entries.map((one) => one.element));
  }

  /* Show the list anew after stars were moved in it. The control that had or gets the focus may be
     gone; the same one of the same movie gets it or, where that movie has left, of the one in its
     place. */
  function release(target) {
    held = null;
    const place = entries.findIndex((one) => one.element.contains(target));
    const row = entries[place]?.row;
    again();
    if (place < 0) return;
    const inPlace = entries[Math.min(place, entries.length - 1)];
    const next = entries.find((one) => one.row === row) ?? inPlace;
    const control = target.matches("summary") ? next?.why.summary : next?.stars.slider;
    (control ?? exit).focus({ preventScroll: true });
  }

  return {
    element,
    show,
    get held() {
      return held !== null;
    },
  };
}

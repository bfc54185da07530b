/* Lesson 3: the best movies, for any number γ of imaginary ratings.

   Data: movies [title, number of ratings n, mean of these, sum of what the users' generosity leaves
   of them], of all that are among the best at some stop; gammas (the stops of the slider), gamma
   (the first). */

import { fixed, make, plural, slider, voice } from "./shared.js";

const SHOWN = 10;

/* b = Σ e / (n + γ), the box of the lesson; λ is 1. */
export const bias = ([, n, , sum], gamma) => sum / (n + gamma);

/* The best movies, those with more ratings first among equals. */
export const best = (movies, gamma) =>
  movies
    .map((movie) => ({ movie, b: bias(movie, gamma) }))
    .sort((one, other) => other.b - one.b || other.movie[1] - one.movie[1])
    .slice(0, SHOWN);

export function mount(element, data) {
  const { movies, gammas } = data;
  const widest = Math.max(...best(movies, gammas[0]).map(({ b }) => b));
  const gamma = slider(
    "Imaginary ratings", gammas, data.gamma, (value) => `γ = ${value}`, update,
  );
  const list = make("ol", { class: "als-bars" });
  const told = voice();

  const entry = ({ movie: [title, n, mean], b }) =>
    make(
      "li", {},
      title,
      make(
        "div", {},
        make("span", { class: "als-bar", style: `width: ${fixed((55 * b) / widest, 1)}%` }),
        ` ${fixed(b)}; ${plural(n, "rating")}, mean ${fixed(mean, 1)}`,
      ),
    );

  function update() {
    const ten = best(movies, gamma.value);
    list.replaceChildren(...ten.map(entry));
    const counts = ten.map(({ movie }) => movie[1]).sort((a, b) => a - b);
    const middle = (counts[SHOWN / 2 - 1] + counts[SHOWN / 2]) / 2;
    told.say(
      `γ = ${gamma.value}: first is ${ten[0].movie[0]}. Of the ten movies one has only ` +
        `${plural(counts[0], "rating")}, and half have ${plural(middle, "rating")} or fewer.`,
    );
  }

  element.append(gamma.element, told.element, list);
  update();
}

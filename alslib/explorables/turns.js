/* Lesson 3: bias-only ALS on a small table, one exact half-step at a press.

   Data: users, movies (names), ratings (a row for each user, null where there is none), gamma, gammas
   (the stops of the slider), scale [lowest, highest]. */

import {
  button, fixed, halfStars, make, pathThrough, picture, plane, slider, voice,
} from "./shared.js";
import { byTurns, known } from "./table/by_turns.js";

export function mean(ratings) {
  const values = known(ratings).map(([, , r]) => r);
  return values.length ? values.reduce((sum, r) => sum + r, 0) / values.length : 0;
}

/* L with λ = 1, the ridge included. */
export function objective({ ratings, mu, users, movies, gamma }) {
  const squares = (values) => values.reduce((sum, value) => sum + value ** 2, 0);
  const errors = known(ratings).map(([m, n, r]) => r - mu - users[m] - movies[n]);
  return squares(errors) / 2 + (gamma / 2) * (squares(users) + squares(movies));
}

/* The exact minimiser of L over the biases of one side, with the other held fixed. */
export function halfStep({ ratings, mu, users, movies, gamma }, side) {
  const [own, other] = side === "users" ? [users, movies] : [movies, users];
  const sums = own.map(() => 0);
  const counts = own.map(() => 0);
  for (const [m, n, r] of known(ratings)) {
    const [i, j] = side === "users" ? [m, n] : [n, m];
    sums[i] += r - mu - other[j];
    counts[i] += 1;
  }
  return sums.map((sum, i) => (counts[i] + gamma ? sum / (counts[i] + gamma) : 0));
}

export function mount(element, data) {
  const state = { ratings: data.ratings.map((row) => [...row]), gamma: data.gamma };
  const turns = byTurns(state, objective, halfStep, show);
  const choices = [null, ...halfStars(data.scale)];

  const bent = (name) => data[name].map(() => make("td", { class: "als-number" }));
  const biases = { users: bent("users"), movies: bent("movies") };
  const cell = (m, n) =>
    make(
      "td", {},
      make(
        "select",
        {
          "aria-label": `${data.users[m]}, ${data.movies[n]}`,
          change: ({ target }) => {
            state.ratings[m][n] = choices[target.selectedIndex];
            begin();
          },
        },
        ...choices.map((r) => make("option", { selected: r === state.ratings[m][n] }, r ?? "–")),
      ),
    );
  const head = (text) => make("th", { scope: "col" }, text);
  const table = make(
    "table", { class: "als-table" },
    make("tr", {}, make("td"), ...data.movies.map(head), head("b")),
    ...data.users.map((user, m) =>
      make(
        "tr", {},
        make("th", { scope: "row" }, user),
        ...data.movies.map((_, n) => cell(m, n)),
        biases.users[m],
      ),
    ),
    make("tr", {}, make("th", { scope: "row" }, "b"), ...biases.movies, make("td")),
  );
  const gamma = slider(
    "Imaginary ratings", data.gammas, data.gamma, (value) => `γ = ${value}`,
    () => {
      state.gamma = gamma.value;
      begin();
    },
  );
  const told = voice();
  const fall = picture("L after each half-step", draw);

  function begin() {
    turns.begin({
      mu: mean(state.ratings), users: data.users.map(() => 0), movies: data.movies.map(() => 0),
    });
  }

  function show() {
    for (const side of ["users", "movies"]) {
      biases[side].forEach((place, i) => {
        place.textContent = fixed(state[side][i]);
      });
    }
    fall.redraw();
    told.say(turns.said(`μ = ${fixed(state.mu)}, all biases zero`));
  }

  function draw(width) {
    const height = 200;
    const { steps } = turns;
    const { x, y, framed } = plane({
      width, height, xDomain: [0, Math.max(6, steps.length - 1)], yDomain: [0, 1.05 * steps[0][1] || 1],
      xLabel: "half-steps", yLabel: "L",
    });
    const points = steps.map(([, L], i) => [x(i), y(L)]);
    const line = make("path", {
      d: pathThrough(points), fill: "none", stroke: "var(--als-blue)", "stroke-width": 2,
    });
    const dots = points.map(([cx, cy]) => make("circle", { cx, cy, r: 4, fill: "var(--als-blue)" }));
    return { height, content: framed(line, ...dots) };
  }

  element.append(
    make(
      "div", { class: "als-sides" },
      make("div", {}, table),
      make("div", {}, gamma.element, fall.element),
    ),
    make(
      "div", { class: "als-row" },
      button("Users", () => turns.step("users")),
      button("Movies", () => turns.step("movies")),
      button("Start again", begin),
    ),
    told.element,
  );
  begin();
}

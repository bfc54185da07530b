/* Lesson 4: two factors learn a small table of residuals, one exact half-step at a press.

   Data: users, movies (names), residuals (a row for each user, null where there is no rating), starts
   (each the users' first vectors; the movies begin at zero), tau, taus (the stops of the slider). */

import {
  button, factorPlane, fixed, legend, make, normalEquations, picture, slider, solve, voice,
} from "./shared.js";
import { byTurns, known } from "./table/by_turns.js";

const dot = ([a, b], [c, d]) => a * c + b * d;

/* L with λ = 1, the ridge included. */
export function objective({ residuals, users, movies, tau }) {
  const lengths = [...users, ...movies].reduce((sum, v) => sum + dot(v, v), 0);
  const errors = known(residuals).map(([m, n, e]) => e - dot(users[m], movies[n]));
  return errors.reduce((sum, e) => sum + e * e, 0) / 2 + (tau / 2) * lengths;
}

/* The exact minimiser of L over the vectors of one side, with the other held fixed. */
export function halfStep({ residuals, users, movies, tau }, side) {
  const [own, other] = side === "users" ? [users, movies] : [movies, users];
  const rows = own.map(() => []);
  for (const [m, n, e] of known(residuals)) {
    const [i, j] = side === "users" ? [m, n] : [n, m];
    rows[i].push([e, other[j]]);
  }
  return rows.map((row) => solve(normalEquations(row, [tau, tau])));
}

export function mount(element, data) {
  const state = { residuals: data.residuals, tau: data.tau };
  let start = 0;
  const turns = byTurns(state, objective, halfStep, show);
  const cells = data.users.map(() => data.movies.map(() => make("td", { class: "als-number" })));
  const head = (scope) => (text) => make("th", { scope }, text);
  const table = make(
    "table", { class: "als-table als-heat" },
    make("caption", {}, "What is left: e − u·v"),
    make("tr", {}, make("td"), ...data.movies.map(head("col"))),
    ...data.users.map((user, m) => make("tr", {}, head("row")(user), ...cells[m])),
  );
  const tau = slider("Ridge", data.taus, data.tau, (value) => `τ = ${value}`, () => {
    state.tau = tau.value;
    begin();
  });
  const map = picture("The vectors of users and movies on a plane", draw);
  const told = voice();

  function begin() {
    turns.begin({ users: data.starts[start], movies: data.movies.map(() => [0, 0]) });
  }

  function show() {
    for (const [m, n, e] of known(data.residuals)) {
      const left = e - dot(state.users[m], state.movies[n]);
      const share = Math.min(Math.abs(left) / 2, 1);
      const colour = left > 0 ? "--als-blue" : "--als-red";
      cells[m][n].textContent = fixed(left, 1);
      cells[m][n].style.background =
        `color-mix(in srgb, var(${colour}) ${Math.round(50 * share)}%, transparent)`;
    }
    map.redraw();
    told.say(turns.said("Start, the movies have no taste yet"));
  }

  function draw(width) {
    const { height, x, y, framed } = factorPlane(width, 1.5);
    const arrows = (vectors, names, colour) =>
      vectors.flatMap(([v1, v2], i) => [
        make("line", {
          x1: x(0), y1: y(0), x2: x(v1), y2: y(v2), stroke: colour, "stroke-width": 2,
        }),
        v1 || v2 ? make("text", { x: x(v1) + 4, y: y(v2) + (v2 < 0 ? 12 : -4) }, names[i]) : "",
      ]);
    const drawn = [
      ...arrows(state.users, data.users, "var(--als-blue)"),
      ...arrows(state.movies, data.movies, "var(--als-orange)"),
    ];
    return { height, content: framed(...drawn) };
  }

  element.append(
    make(
      "div", { class: "als-sides" },
      make("div", {}, tau.element, table),
      make(
        "div", {},
        map.element,
        legend([["var(--als-blue)", "users"], ["var(--als-orange)", "movies"]]),
      ),
    ),
    make(
      "div", { class: "als-row" },
      button("Movies", () => turns.step("movies")),
      button("Users", () => turns.step("users")),
      button("Another start", () => {
        start = (start + 1) % data.starts.length;
        begin();
      }),
    ),
    told.element,
  );
  begin();
}

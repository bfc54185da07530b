/* Lesson 5: turning the axes of a map changes every coordinate, and nothing that is predicted.

   Data: movies (titles), places (two factors each), people (names) and tastes (two factors each),
   neighbours and centred (for each movie the titles that are nearest among all its factors), movie
   (the title that is chosen at first). */

import { factorPlane, fixed, legend, make, picture, slider, voice } from "./shared.js";

const STEP = 5; // degrees

export function turned([x, y], degrees) {
  const angle = (degrees * Math.PI) / 180;
  return [x * Math.cos(angle) - y * Math.sin(angle), x * Math.sin(angle) + y * Math.cos(angle)];
}

export const product = ([a, b], [c, d]) => a * c + b * d;
export const distance = ([a, b], [c, d]) => Math.hypot(a - c, b - d);

export function mount(element, data) {
  const { movies, places, people, tastes } = data;
  const reach = 1.05 * Math.max(...places.map(([x, y]) => Math.hypot(x, y)));
  const degrees = Array.from({ length: 360 / STEP + 1 }, (_, i) => STEP * i - 180);
  const dial = slider("Turn all vectors by", degrees, 0, (value) => `${fixed(value, 0)}°`, update);
  const menu = (names, first) =>
    make(
      "select", { change: update },
      ...names.map((name) => make("option", { selected: name === first }, name)),
    );
  const film = menu(movies, data.movie);
  const person = menu(people, people[0]);
  const map = picture("A map of movies, which turns with the slider", draw);
  const numbers = make("table", { class: "als-table" });
  const lists = make("div", { class: "als-sides" });
  const told = voice();
  const at = () => dial.value;
  const nearest = (n) =>
    places.map((place, i) => [i === n ? Infinity : distance(place, places[n]), i]).sort(([a], [b]) => a - b)[0];

  function draw(width) {
    const { height, x, y, framed } = factorPlane(width, reach);
    const chosen = film.selectedIndex;
    const dots = places.map((place, i) => {
      const [a, b] = turned(place, at());
      const colour = i === chosen ? "var(--als-red)" : "var(--als-blue)";
      return make(
        "circle",
        { cx: x(a), cy: y(b), r: i === chosen ? 7 : 4, fill: colour, opacity: i === chosen ? 1 : 0.4 },
        make("title", {}, movies[i]),
      );
    });
    const names = [chosen, nearest(chosen)[1]].map((i, rank) => {
      const [a, b] = turned(places[i], at());
      return make(
        "text", { x: x(a), y: y(b) + (rank ? 18 : -10), "text-anchor": a > 0 ? "end" : "start" },
        movies[i],
      );
    });
    const [a, b] = turned(tastes[person.selectedIndex], at());
    const length = (0.8 * reach) / Math.hypot(a, b);
    const taste = make("line", {
      x1: x(0), y1: y(0), x2: x(length * a), y2: y(length * b), stroke: "var(--als-orange)",
      "stroke-width": 3,
    }, make("title", {}, `${people[person.selectedIndex]}: the direction of their taste`));
    return { height, content: framed(taste, ...dots, ...names) };
  }

  function update() {
    map.redraw();
    const n = film.selectedIndex;
    const v = turned(places[n], at());
    const u = turned(tastes[person.selectedIndex], at());
    const [, i] = nearest(n);
    const row = (name, value) =>
      make("tr", {}, make("th", { scope: "row" }, name), make("td", { class: "als-number" }, value));
    const shown = (vector) => `(${vector.map((value) => fixed(value)).join(", ")})`;
    numbers.replaceChildren(
      row("v of the movie", shown(v)),
      row("u of the person", shown(u)),
      row("u·v, in stars", fixed(product(u, v))),
      row("length of v", fixed(Math.hypot(...v))),
      row(`distance to ${movies[i]}`, fixed(distance(v, turned(places[i], at())))),
    );
    const list = (name, titles) =>
      make("div", {}, make("strong", {}, name), make("ol", {}, ...titles.map((t) => make("li", {}, t))));
    lists.replaceChildren(
      list("Nearest by all factors", data.neighbours[n]), list("The same, centred", data.centred[n]),
    );
    told.say(
      `Turned by ${fixed(at(), 0)}°, ${movies[n]} lies at ${shown(v)}. ` +
        `What ${people[person.selectedIndex]} would add for it is ${fixed(product(u, v))} stars, at every angle.`,
    );
  }

  element.append(
    dial.element,
    make(
      "div", { class: "als-sides" },
      make(
        "div", {},
        map.element,
        legend([
          ["var(--als-red)", "the movie"], ["var(--als-orange)", "direction of the person’s taste"],
        ]),
      ),
      make(
        "div", {},
        make("label", { class: "als-field" }, "Movie ", film),
        make("label", { class: "als-field" }, "Person ", person),
        numbers,
      ),
    ),
    told.element,
    lists,
  );
  update();
}

/* Lesson 6: where a new film starts, and how ratings pull it away.

   Data: genres and decades, each [name, bias g, factors f]; people, each [name, bias, factors u];
   map [title, place] of some movies; mean μ; scale [lowest, highest]; gamma, tau and taus (the stops of the slider); chosen
   (names of the features at first). λ is 1 and the ridge does not grow. */

import {
  button, factorPlane, fixed, halfStars, legend, make, normalEquations, picture, plural, slider,
  solve, voice,
} from "./shared.js";

/* c and p: the sum of what the features say, by the root of their number. */
export function prior(features) {
  const root = Math.sqrt(Math.max(features.length, 1));
  const sum = (of) => features.reduce((total, feature) => total + of(feature), 0) / root;
  return [sum(([, g]) => g), sum(([, , f]) => f[0]), sum(([, , f]) => f[1])];
}

/* Bias and factors (b, v1, v2) by the joint update, pulled towards a start (c, p1, p2). `ratings`
   are [stars above μ and the person's bias, u]. */
export function pulled(start, ratings, gamma, tau) {
  const ridge = [gamma, tau, tau];
  const { A, right } = normalEquations(ratings.map(([e, u]) => [e, [1, ...u]]), ridge);
  return solve({ A, right: right.map((value, i) => value + ridge[i] * start[i]) });
}

const signed = (value) => (value > 0 ? "+" : "") + fixed(value, 1);

export const predicted = (mean, [, bias, u], [b, v1, v2]) => mean + bias + b + u[0] * v1 + u[1] * v2;

export function mount(element, data) {
  const { genres, decades, people, mean } = data;
  const [low, high] = data.scale;
  const given = new Map(); // stars by person
  const box = (genre) =>
    make(
      "label", { class: "als-check" },
      make("input", { type: "checkbox", checked: data.chosen.includes(genre[0]), change: update }),
      genre[0],
    );
  const boxes = genres.map(box);
  const menu = (names, first, changed) =>
    make("select", { change: changed }, ...names.map((n) => make("option", { selected: n === first }, n)));
  const decade = menu(["none", ...decades.map(([name]) => name)], data.chosen.at(-1), update);
  const tau = slider("Ridge of the movie", data.taus, data.tau, (value) => `τ = ${value}`, update);
  const person = menu(people.map(([name]) => name));
  const stars = slider("Stars", halfStars(data.scale), high,
    (value) => `${value} ★`, () => {});
  const map = picture("Where the film starts, and where its ratings have pulled it", draw);
  const likes = make("ol", { class: "als-bars" });
  const told = voice();

  const features = () => [
    ...genres.filter((_, i) => boxes[i].firstChild.checked),
    ...decades.filter(([name]) => name === decade.value),
  ];
  const start = () => prior(features());
  const now = () =>
    pulled(
      start(),
      [...given].map(([i, r]) => [r - mean - people[i][1], people[i][2]]),
      data.gamma,
      tau.value,
    );

  function draw(width) {
    const reach = 1.1 * Math.max(...data.map.flatMap(([, place]) => place.map(Math.abs)));
    const { height, x, y, framed } = factorPlane(width, reach);
    const dots = data.map.map(([title, [a, b]]) =>
      make("circle", { cx: x(a), cy: y(b), r: 3, fill: "currentcolor", opacity: 0.35 },
        make("title", {}, title)));
    const [, a, b] = start();
    const [, c, d] = now();
    return {
      height,
      content: framed(
        ...dots,
        make("line", { x1: x(a), y1: y(b), x2: x(c), y2: y(d), stroke: "var(--als-red)", "stroke-width": 2 }),
        make("circle", { cx: x(a), cy: y(b), r: 7, fill: "none", stroke: "var(--als-blue)", "stroke-width": 3 }),
        make("circle", { cx: x(c), cy: y(d), r: 5, fill: "var(--als-red)" }),
      ),
    };
  }

  function update() {
    map.redraw();
    const place = now();
    const inScale = (value) => Math.min(Math.max(value, low), high);
    const order = people
      .map((who) => [
        who[0],
        inScale(predicted(mean, who, place)),
        inScale(predicted(mean, who, start())),
      ])
      .sort(([, one], [, other]) => other - one);
    likes.replaceChildren(
      ...order.map(([name, value, first]) =>
        make(
          "li", {}, name,
          make("div", {},
            make("span", { class: "als-bar", style: `width: ${fixed(14 * value, 1)}%` }), 
            ` ${fixed(value, 1)} ★${given.size ? ` (${signed(value - first)})` : ""}`),
        ),
      ),
    );
    const [c] = start();
    told.say(
      `Its features start the film at a bias of ${fixed(c)}. ` +
        (given.size
          ? `${plural(given.size, "rating")} later it is at ${fixed(place[0])}, ` +
            `${fixed(Math.hypot(place[1] - start()[1], place[2] - start()[2]))} from where it started on the map.`
          : "Nobody has rated it."),
    );
  }

  element.append(
    make(
      "div", { class: "als-sides" },
      make(
        "div", {},
        make("fieldset", { class: "als-columns" }, make("legend", {}, "Genres"), ...boxes),
        make("label", { class: "als-field" }, "Decade ", decade),
        make("label", { class: "als-field" }, "Rated by ", person),
        stars.element,
        make(
          "div", { class: "als-row" },
          button("Give the rating", () => {
            given.set(person.selectedIndex, stars.value);
            update();
          }),
          button("Take all back", () => {
            given.clear();
            update();
          }),
        ),
        tau.element,
      ),
      make(
        "div", {},
        map.element,
        legend([["var(--als-blue)", "where it starts"], ["var(--als-red)", "where it is now"]]),
        told.element,
      ),
    ),
    make("div", {}, make("strong", {}, "Who would like it"), likes),
  );
  update();
}

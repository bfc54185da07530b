/* Lesson 4: recorded fits. With a light ridge L falls and falls, while the error on validation
   ratings turns.

   Data: taus (the stops of the slider), tau (the first), fits (one for each τ: objective, in
   thousands, train and validation, with a number for the start and for each sweep), baseline (the
   validation error of the bias-only model). */

import { fixed, legend, make, pathThrough, picture, plane, slider, voice } from "./shared.js";

/* The sweep with the lowest validation error, the start being 0, and that error. */
export function turning({ validation }) {
  const lowest = Math.min(...validation);
  return { sweep: validation.indexOf(lowest), lowest };
}

export function mount(element, data) {
  const { taus, fits, baseline } = data;
  const all = (name) => fits.flatMap((fit) => fit[name]);
  const spread = (values, margin) => {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return [low - margin * (high - low), high + margin * (high - low)];
  };
  const sweeps = Math.max(...fits.map(({ validation }) => validation.length - 1));
  const tau = slider("Ridge", taus, data.tau, (value) => `τ = ${value}`, update);
  const falls = picture("L after each sweep", (width) => draw(width, ["objective"], "L, in thousands", 0));
  const turns = picture("Error on training and validation ratings after each sweep", (width) =>
    draw(width, ["train", "validation"], "RMSE, stars", 1));
  const told = voice();
  const fit = () => fits[taus.indexOf(tau.value)];

  function draw(width, names, yLabel, digits) {
    const height = 230;
    const { x, y, framed } = plane({
      width, height, xDomain: [0, sweeps], yDomain: spread(names.flatMap(all), 0.12), xLabel: "sweep",
      yLabel, digits: [0, digits],
    });
    const content = names.map((name) =>
      make("path", {
        d: pathThrough(fit()[name].map((value, i) => [x(i), y(value)])), fill: "none",
        stroke: name === "train" ? "var(--als-orange)" : "var(--als-blue)", "stroke-width": 2,
      }));
    if (names.includes("validation")) {
      const { sweep, lowest } = turning(fit());
      content.push(
        make("line", {
          x1: x(0), x2: x(sweeps), y1: y(baseline), y2: y(baseline), stroke: "currentcolor",
          "stroke-dasharray": "6 4",
        }),
        make("circle", { cx: x(sweep), cy: y(lowest), r: 5, fill: "var(--als-red)" }),
      );
    }
    return { height, content: framed(...content) };
  }

  function update() {
    falls.redraw();
    turns.redraw();
    const { objective, validation } = fit();
    const { sweep, lowest } = turning(fit());
    told.say(
      `τ = ${tau.value}: L falls from ${fixed(objective[0], 1)} to ${fixed(objective.at(-1), 1)} thousand. ` +
        `The validation error is lowest ${sweep ? `after sweep ${sweep}` : "before the first sweep"}, ` +
        `${fixed(lowest, 3)}, and ` +
        `${fixed(validation.at(-1), 3)} after the last; bias only has ${fixed(baseline, 3)}.`,
    );
  }

  element.append(
    tau.element,
    make(
      "div", { class: "als-sides" },
      falls.element,
      make(
        "div", {},
        turns.element,
        legend([
          ["var(--als-blue)", "validation"], ["var(--als-orange)", "training"],
          ["currentcolor", "bias only, validation"],
        ]),
      ),
    ),
    told.element,
  );
  update();
}

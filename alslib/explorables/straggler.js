/* Lesson 10: a half-step dealt out to workers, and whom all others wait for.

   Data: counts (ratings of each movie), row (what a row costs beside its ratings, in ratings);
   workers, pieces (for each worker): the first values. */

import { fixed, make, picture, plane, plural, slider, voice } from "./shared.js";

/* Borders of stretches with equally many rows, or with about equal sums of work. */
export const bordersByRows = (work, nParts) =>
  Array.from({ length: nParts + 1 }, (_, i) =>
    i < nParts ? Math.trunc(i * (work.length / nParts)) : work.length);
export function bordersByWork(work, nParts) {
  const total = sums(work);
  const all = total.at(-1);
  const inner = Array.from({ length: nParts - 1 }, (_, i) =>
    total.findIndex((sum) => sum >= (all * (i + 1)) / nParts));
  return [0, ...inner, work.length];
}

/* The work of each stretch. */
export function stretches(work, borders) {
  const total = sums(work);
  return borders.slice(1).map((border, i) => total[border] - total[borders[i]]);
}

function sums(work) {
  const total = [0];
  for (const one of work) total.push(total.at(-1) + one);
  return total;
}

/* Who does which piece, and from when to when, if each goes to whoever is done with it first. */
export function dealtOut(pieces, speeds) {
  const free = speeds.map(() => 0);
  return pieces.map((piece) => {
    const done = free.map((start, worker) => start + piece / speeds[worker]);
    const worker = done.indexOf(Math.min(...done));
    const start = free[worker];
    free[worker] = done[worker];
    return { worker, start, end: done[worker] };
  });
}

const CUTS = { "equally many movies": bordersByRows, "equal work": bordersByWork };

export function mount(element, data) {
  const work = data.counts.map((n) => n + data.row);
  const all = sums(work).at(-1);
  const cut = make(
    "select", { change: show }, ...Object.keys(CUTS).map((name) => make("option", {}, name)),
  );
  const workers = slider("Workers", [4, 8, 16, 32, 64], data.workers, (n) => `${n}`, show);
  const each = slider("Pieces for each", [1, 2, 4, 8, 16], data.pieces, (n) => `${n}`, show);
  const speed = slider("Last worker’s speed", [0.25, 0.5, 1], 1, (value) => `${value}`, show);
  const told = voice();
  const lanes = picture("What each worker does during a half-step, over time", draw);

  /* In units of the shortest time possible. */
  function half() {
    const speeds = Array.from({ length: workers.value }, (_, worker) =>
      worker < workers.value - 1 ? 1 : speed.value);
    const shortest = all / speeds.reduce((sum, one) => sum + one);
    const borders = CUTS[cut.value](work, workers.value * each.value);
    const pieces = stretches(work, borders).map((piece) => piece / shortest);
    return dealtOut(pieces, speeds);
  }

  function show() {
    const done = half();
    const last = done.reduce((one, other) => (other.end > one.end ? other : one));
    const busy = done.reduce((sum, { start, end }) => sum + end - start, 0);
    const waiting = Math.round(100 * (1 - busy / (workers.value * last.end)));
    told.say(
      `${plural(workers.value, "worker")}, ${plural(done.length, "piece")} with ${cut.value}: ` +
        `done after ${fixed(last.end)} times the shortest time possible. The last is worker ` +
        `${last.worker}; ${waiting} % of all workers’ time is waiting.`,
    );
    lanes.redraw();
  }

  function draw(width) {
    const height = 300;
    const done = half();
    const end = Math.max(...done.map((piece) => piece.end));
    const { x, y, framed } = plane({
      width, height, xDomain: [0, Math.max(2.5, 1.05 * end)], yDomain: [0, workers.value],
      digits: [1, 0], xLabel: "time, in shortest times possible", yLabel: "worker",
    });
    const lane = y(0) - y(1);
    const seen = Array(workers.value).fill(0);
    const bars = done.map(({ worker, start, end: stop }) => {
      seen[worker] += 1;
      return make("rect", {
        x: x(start), y: y(worker + 1) + 0.1 * lane,
        width: Math.max(0, x(stop) - x(start)), height: 0.8 * lane,
        fill: "var(--als-blue)", "fill-opacity": seen[worker] % 2 ? 0.95 : 0.6,
      });
    });
    const upright = (at, colour, dashes) =>
      make("line", {
        x1: x(at), x2: x(at), y1: y(0), y2: y(workers.value), stroke: colour, "stroke-width": 2,
        "stroke-dasharray": dashes,
      });
    return {
      height,
      content: framed(
        ...bars, upright(1, "currentcolor", null), upright(end, "var(--als-red)", "6 4"),
      ),
    };
  }

  element.append(
    make("label", { class: "als-check" }, make("strong", {}, "Pieces with"), cut),
    make("div", { class: "als-sliders" }, workers.element, each.element, speed.element),
    told.element,
    lanes.element,
  );
  show();
}

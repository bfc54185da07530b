/* Lesson 9: memory, seconds and bytes of a fit, counted before it runs.

   Data: presets [name, users, movies, ratings]; preset (the name of the first); K, cores, workers,
   memory (GB of a machine), network (Gbit/s): the first values; core { peak, speed, bandwidth }:
   operations and bytes a second, assumed for one core; dictBytes of a rating in two dicts. */

import {
  fixed, legend, logPlane, make, pathThrough, picture, slider, voice,
} from "./shared.js";

/* Multiplications and additions of one half-step: all users, or all movies. */
export const operations = (nRatings, nRows, K) =>
  nRatings * (K * (K + 1) + 4 * K) + nRows * (K ** 3 / 3 + 2 * K ** 2);

/* Bytes that a half-step moves for a rating, and its operations for each of them. */
export const bytesMoved = (K) => 13 + 4 * K;
export const intensity = (K) => operations(1, 0, K) / bytesMoved(K);

/* Operations a second of one core: what is assumed, or less where its memory is the limit. */
export const coreSpeed = (K, { speed, bandwidth }) => Math.min(speed, bandwidth * intensity(K));

/* Seconds of computing and of receiving in a sweep; `network` is in bytes a second. */
export function onPaper([nUsers, nItems, nRatings], workers, cores, K, speed, network) {
  const work = operations(nRatings, nUsers, K) + operations(nRatings, nItems, K);
  const received = (nUsers + nItems) * 4 * K * (1 - 1 / workers);
  return [work / (workers * cores * speed), received / network];
}

/* Bytes on one machine, of what one might keep there. */
export function budget([nUsers, nItems, nRatings], K, dictBytes) {
  const nRows = nUsers + nItems;
  return {
    table: 8 * nUsers * nItems,
    dicts: dictBytes * nRatings,
    views: 10 * nRatings + 8 * (nRows + 2),
    factors: nRows * (4 * K + 8),
  };
}

/* Bytes on each of several: its stretches of both views, and all factors. */
export function perMachine([nUsers, nItems, nRatings], K, workers) {
  const nRows = nUsers + nItems;
  return (10 * nRatings + 8 * nRows) / workers + 16 + nRows * (4 * K + 8);
}

const rounded = (value) =>
  value >= 9.95 ? Math.round(value).toLocaleString("en-GB") : fixed(value, 1);

export function size(bytes) {
  const units = ["MB", "GB", "TB", "PB", "EB"];
  let value = bytes / 1e6;
  while (value >= 999.5 && units.length > 1) {
    value /= 1000;
    units.shift();
  }
  return `${value < 0.05 ? "< 0.1" : rounded(value)} ${units[0]}`;
}

export function duration(seconds) {
  if (seconds < 0.0995) return `${rounded(1000 * seconds)} ms`;
  if (seconds < 99.5) return `${rounded(seconds)} s`;
  return seconds < 5970 ? `${rounded(seconds / 60)} min` : `${rounded(seconds / 3600)} h`;
}

const doubled = (first, last) =>
  Array.from({ length: Math.log2(last / first) + 1 }, (_, i) => first * 2 ** i);
const WORKERS = doubled(1, 256);
const spoken = (n) => n.toLocaleString("en-GB");

export function mount(element, data) {
  const { core } = data;
  const stops = (k, low, high) => { // 1, 2, 5, 10 … and those of the presets
    const round = [];
    for (let ten = low; ten <= high; ten *= 10) round.push(ten, 2 * ten, 5 * ten);
    const all = new Set([...round, ...data.presets.map((known) => known[k])]);
    return [...all].sort((one, other) => one - other);
  };
  const preset = make(
    "select", { change: take },
    ...data.presets.map(([name]) => make("option", { selected: name === data.preset }, name)),
    make("option", {}, "my own"),
  );
  const first = data.presets.find(([name]) => name === data.preset);
  const own = () => {
    const same = data.presets.findIndex((known) => shape().every((n, i) => n === known[i + 1]));
    preset.selectedIndex = same < 0 ? data.presets.length : same;
    show();
  };
  const sizes = [["Users", 100, 1e8], ["Movies", 100, 1e7], ["Ratings", 1e4, 1e10]].map(
    ([label, low, high], i) => slider(label, stops(i + 1, low, high), first[i + 1], spoken, own));
  const settings = {
    K: slider("Factors", doubled(4, 256), data.K, (K) => `K = ${K}`, show),
    workers: slider("Machines", WORKERS, data.workers, (n) => `${n}`, show),
    cores: slider("Cores", doubled(1, 64), data.cores, (n) => `${n}`, show),
    memory: slider("Memory", doubled(4, 1024), data.memory, (gb) => `${gb} GB`, show),
    network: slider("Network", [1, 10, 25, 100], data.network, (gbit) => `${gbit} Gbit/s`, show),
  };
  const shape = () => sizes.map(({ value }) => value);
  const state = () =>
    Object.fromEntries(Object.entries(settings).map(([name, { value }]) => [name, value]));

  const bytes = [
    "all cells as a table of float64", "two dicts of dicts", "both views", "factors and biases",
    "each machine: part of the views, all factors",
  ].map((what) => {
    const cells = [make("td", { class: "als-number" }), make("td", { class: "als-number" })];
    return { cells, element: make("tr", {}, make("th", { scope: "row" }, what), ...cells) };
  });
  const told = voice();
  const times = picture("Seconds of a sweep against the number of machines", drawTimes);
  const roof = picture("Roofline of one core: its speed against operations a byte", drawRoof);

  /* The sizes of a data set. My own are those that stand there. */
  function take() {
    const [, ...numbers] = data.presets[preset.selectedIndex] ?? [];
    numbers.forEach((n, i) => { sizes[i].value = n; });
    show();
  }

  function seconds(workers) {
    const { K, cores, network } = state();
    return onPaper(shape(), workers, cores, K, coreSpeed(K, core), 1.25e8 * network);
  }

  function show() {
    const { K, workers, memory } = state();
    const needed = perMachine(shape(), K, workers);
    const all = [...Object.values(budget(shape(), K, data.dictBytes)), needed];
    bytes.forEach(({ cells }, i) => {
      cells[0].textContent = size(all[i]);
      cells[1].textContent = all[i] <= 1e9 * memory ? "fits" : "too large";
    });
    times.redraw();
    roof.redraw();
    const [computing, receiving] = seconds(workers);
    const [, , nRatings] = shape();
    const fits = needed <= 1e9 * memory ? "It fits" : "It does not fit";
    const parts = `, ${duration(computing)} of computing and ${duration(receiving)} of receiving`;
    told.say(
      `${fits}: ${size(needed)} of ${memory} GB. A sweep takes ${duration(computing + receiving)}` +
        `${receiving ? parts : ""}, and moves ${size((2 * nRatings * bytesMoved(K)) / workers)} ` +
        "from the memory of each machine.",
    );
  }

  const line = (points, colour, width) =>
    make("path", { d: pathThrough(points), fill: "none", stroke: colour, "stroke-width": width });

  function drawTimes(width) {
    const height = 280;
    const { x, y, framed } = logPlane({
      width, height, xDomain: [0.8, 320], yDomain: [1e-3, 1e4],
      xLabel: "machines", yLabel: "seconds a sweep",
    });
    const all = WORKERS.map((n) => [n, ...seconds(n)]);
    const through = (value) =>
      all.filter((row) => value(row) > 0).map((row) => [x(row[0]), y(value(row))]);
    const [computing, receiving] = seconds(settings.workers.value);
    return {
      height,
      content: framed(
        line(through(([, c, r]) => c + r), "currentcolor", 4),
        line(through(([, c]) => c), "var(--als-blue)", 2),
        line(through(([, , r]) => r), "var(--als-red)", 2),
        make("circle", {
          cx: x(settings.workers.value), cy: y(computing + receiving), r: 6, fill: "currentcolor",
        }),
      ),
    };
  }

  function drawRoof(width) {
    const height = 280;
    const { x, y, framed } = logPlane({
      width, height, xDomain: [0.5, 120], yDomain: [1, 200],
      xLabel: "operations a byte", yLabel: "billion operations a second, one core",
    });
    const { K } = state();
    const corner = core.peak / core.bandwidth;
    const limit = [0.5, corner, 120].map((at) =>
      [x(at), y(Math.min(core.peak, core.bandwidth * at) / 1e9)]);
    const speed = coreSpeed(K, core) / 1e9;
    return {
      height,
      content: framed(
        line(limit, "currentcolor", 2),
        line([0.5, 120].map((at) => [x(at), y(core.speed / 1e9)]), "var(--als-orange)", 2),
        make("circle", { cx: x(intensity(K)), cy: y(speed), r: 6, fill: "var(--als-blue)" }),
        make("text", { x: x(intensity(K)) + 10, y: y(speed) + 18 }, `K = ${K}`),
      ),
    };
  }

  element.append(
    make("label", { class: "als-check" }, make("strong", {}, "Data set"), preset),
    make(
      "div", { class: "als-sliders" },
      ...[...sizes, ...Object.values(settings)].map((one) => one.element),
    ),
    told.element,
    make("table", { class: "als-table als-narrow" }, ...bytes.map((row) => row.element)),
    make(
      "div", { class: "als-sides" },
      make("div", {}, times.element, legend([
        ["var(--als-blue)", "computing"], ["var(--als-red)", "receiving"], ["currentcolor", "both"],
      ])),
      make("div", {}, roof.element, legend([
        ["currentcolor", "roof"], ["var(--als-orange)", "assumed"], ["var(--als-blue)", "this K"],
      ])),
    ),
  );
  show();
}

/* Lesson 2: the tail of real degrees, and a law laid over it by hand.

   Data: groups { name: { values, counts (of the degrees), fits, x_min (of the best) } }, with a fit
   for every stop of x_min: [x_min, α of the power law, [μ, σ] of the lognormal, λ of the
   exponential]; group (the first). α has stops of a hundredth. */

import {
  button, choice, fixed, legend, logPlane, make, pathThrough, picture, plural, slider, voice,
} from "./shared.js";

/* Hurwitz's ζ(s, q) = Σ (q + k)^-s, by Euler and Maclaurin from 12 on. */
export function zeta(s, q) {
  let sum = 0;
  let a = q;
  for (; a < 12; a += 1) sum += a ** -s;
  const power = a ** -s;
  let term = (s * power) / a / 12;
  sum += (power * a) / (s - 1) + power / 2 + term;
  [-1 / 60, -1 / 42, -1 / 40, -5 / 198].forEach((ratio, i) => { // of Bernoulli numbers
    term *= (ratio * (s + 2 * i + 1) * (s + 2 * i + 2)) / a / a;
    sum += term;
  });
  return sum;
}

/* erfc(z), by its series about 0 or, far out, as a continued fraction. */
export function erfc(z) {
  if (z < 0) return 2 - erfc(-z);
  if (z < 2.5) {
    let term = (2 * z) / Math.sqrt(Math.PI);
    let sum = term;
    for (let k = 1; Math.abs(term) > 1e-17 * Math.abs(sum); k += 1) {
      term *= (-z * z) / k;
      sum += term / (2 * k + 1);
    }
    return 1 - sum;
  }
  let below = z;
  for (let k = 60; k > 0; k -= 1) below = z + k / 2 / below;
  return Math.exp(-z * z) / below / Math.sqrt(Math.PI);
}

/* P(X ≥ x), given that X ≥ x_min, as a function of whole x. A law is [name, x_min, parameters]. */
function survival([name, xMin, parameters]) {
  if (name === "power law") {
    const norm = zeta(parameters, xMin);
    return (x) => zeta(parameters, x) / norm;
  }
  if (name === "exponential") return (x) => Math.exp(-parameters * (x - xMin));
  const [mu, sigma] = parameters; // the lognormal: x stands for all that is rounded to it
  const beyond = (x) => erfc((Math.log(x - 0.5) - mu) / sigma / Math.SQRT2);
  const norm = beyond(xMin);
  return (x) => beyond(x) / norm;
}

export const shares = (law, xs) => xs.map(survival(law));

/* Values from x_min on, how many there are, and how many are as large or larger. */
export function tailOf(values, counts, xMin) {
  const start = values.findIndex((value) => value >= xMin);
  const from = counts.slice(start);
  for (let i = from.length - 2; i >= 0; i -= 1) from[i] += from[i + 1];
  return { values: values.slice(start), counts: counts.slice(start), from, n: from[0] };
}

/* Kolmogorov and Smirnov's distance over all whole numbers, and where it is. Between two values the
   data are flat and the law falls, so it is largest at a value or just above one. */
export function distance({ values, from, n }, law) {
  const P = survival(law);
  let far = { distance: -1 };
  const look = (x, share) => {
    const here = Math.abs(P(x) - share);
    if (here > far.distance) far = { distance: here, x };
  };
  values.forEach((x, i) => {
    look(x, from[i] / n);
    look(x + 1, (from[i + 1] ?? 0) / n);
  });
  return far;
}

/* R, the log-likelihood of one law minus that of a rival, and Vuong's p-value for its sign. */
export function ratio({ values, counts, n }, law, rival) {
  const log = (P) => (x) => Math.log(P(x) - P(x + 1));
  const [own, others] = [law, rival].map(survival).map(log);
  const each = values.map((x) => own(x) - others(x));
  const R = each.reduce((sum, value, i) => sum + counts[i] * value, 0);
  const spread = each.reduce((sum, value, i) => sum + counts[i] * (value - R / n) ** 2, 0);
  return { R, p: erfc(Math.abs(R) / Math.sqrt(2 * spread)) };
}

/* Uniform numbers in (0, 1], the same for the same seed (Tommy Ettinger's mulberry32). */
export function uniform(seed, n) {
  let state = seed;
  return Array.from({ length: n }, () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return 1 - ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  });
}

/* For each u the largest x with P(X ≥ x) ≥ u. */
export function draw(law, us) {
  const P = survival(law);
  const xMin = law[1];
  const reached = Array.from({ length: 2048 }, (_, k) => P(xMin + k));
  const bisect = (low, high, u, at) => { // at(low) ≥ u > at(high)
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (at(middle) >= u) low = middle;
      else high = middle;
    }
    return low;
  };
  return us.map((u) =>
    u > reached.at(-1)
      ? xMin + bisect(0, reached.length - 1, u, (k) => reached[k])
      : bisect(xMin + reached.length - 1, 2 ** 53, u, P));
}

/* The distinct numbers, ascending, and how often each occurs. */
export function counted(numbers) {
  const counts = new Map();
  for (const x of numbers) counts.set(x, (counts.get(x) ?? 0) + 1);
  const values = [...counts.keys()].sort((one, other) => one - other);
  return [values, values.map((x) => counts.get(x))];
}

const spoken = (n) => n.toLocaleString("en-GB");
const LAWS = ["power law", "lognormal", "exponential"];
const ALPHAS = Array.from({ length: 391 }, (_, i) => (110 + i) / 100);

export function mount(element, data) {
  let group, fit, alpha; // fit: what is recorded of this x_min; alpha: by fit or by hand
  let chosen = LAWS[0];
  let sample, nDrawn, nAsFar;

  const stopping = make("div");
  let xMins;
  const exponents = slider("Exponent", ALPHAS, ALPHAS[0], (a) => `α = ${fixed(a)}`, () => {
    alpha = exponents.value;
    restart();
  });
  const which = choice(
    "Ratings of each of the", "line-group", Object.keys(data.groups).map((name) => [name, name]),
    data.group, enter,
  );
  const rows = LAWS.map((name) => {
    const radio = make("input", {
      type: "radio", name: "als-line-law", checked: name === chosen,
      change: () => {
        chosen = name;
        restart();
      },
    });
    const label = make("label", { class: "als-check" }, radio, make("span", {}, name));
    const cells = [0, 1, 2].map(() => make("td", { class: "als-number" }));
    return { name, cells, element: make("tr", {}, make("th", { scope: "row" }, label), ...cells) };
  });
  const told = voice();
  const view = picture("Share with x or more against x, both logarithmic: data, law, draw", paint);

  const tail = () => tailOf(group.values, group.counts, fit[0]);
  const law = (name) => [name, fit[0], name === LAWS[0] ? alpha : fit[1 + LAWS.indexOf(name)]];

  function enter() {
    group = data.groups[which.value];
    const stops = group.fits.map(([stop]) => stop);
    const say = (stop) => `x_min = ${stop}`;
    xMins = slider("Tail from", stops, stops[0], say, () => moveTo(xMins.value));
    stopping.replaceChildren(xMins.element);
    moveTo(group.x_min);
  }

  /* α follows x_min, as the fit does. */
  function moveTo(x) {
    fit = group.fits.find(([stop]) => stop === x);
    alpha = fit[1];
    xMins.value = x;
    exponents.value = Math.round(100 * alpha) / 100;
    restart();
  }

  function restart() {
    [sample, nDrawn, nAsFar] = [null, 0, 0];
    show();
  }

  function drawOne() {
    const [real, own] = [tail(), law(chosen)];
    nDrawn += 1;
    sample = tailOf(...counted(draw(own, uniform(nDrawn, real.n))), fit[0]);
    nAsFar += distance(sample, own).distance >= distance(real, own).distance;
    show();
  }

  function show() {
    const real = tail();
    for (const { name, cells } of rows) {
      cells[0].textContent = fixed(distance(real, law(name)).distance, 3);
      if (name === LAWS[0]) continue;
      const { R, p } = ratio(real, law(LAWS[0]), law(name));
      cells[1].textContent = fixed(R, 1);
      cells[2].textContent = p < 0.001 ? "< 0.001" : fixed(p, 3);
    }
    view.redraw();
    told.say(inWords(real));
  }

  function inWords(real) {
    const own = law(chosen);
    const far = distance(real, own);
    if (!sample) {
      return (
        `${spoken(real.n)} ${which.value} have ${plural(fit[0], "rating")} or more. ` +
        `Data and ${chosen} differ most at x = ${far.x}, by ${fixed(far.distance, 3)}.`
      );
    }
    const [most, inData] = [sample, real].map(({ values }) => spoken(values.at(-1)));
    return (
      `As many numbers drawn from the ${chosen}: the largest is ${most}; in the data it is ` +
      `${inData}. KS of the draw ${fixed(distance(sample, own).distance, 3)}, of the data ` +
      `${fixed(far.distance, 3)}; of ${plural(nDrawn, "draw")}, ${nAsFar} as far off as the data.`
    );
  }

  function paint(width) {
    const height = Math.min(Math.max(300, width * 0.6), 400);
    const all = tailOf(group.values, group.counts, 0);
    const most = 10 * group.values.at(-1);
    const { x, y, framed } = logPlane({
      width, height, xDomain: [0.9, most], yDomain: [0.7 / all.n, 1.2],
      xLabel: `x, ratings of one of the ${which.value}`, yLabel: "share with x or more",
    });
    const dots = (points, colour, size, opacity = 1) =>
      make("path", {
        d: points.map(([at, share]) => `M${fixed(x(at), 1)} ${fixed(y(share), 1)}h0`).join(""),
        stroke: colour, "stroke-width": size, "stroke-linecap": "round", fill: "none", opacity,
      });
    const P = survival(law(chosen));
    const part = tail().n / all.n;
    const line = [];
    for (let at = fit[0]; at < most && part * P(at) > 0.1 / all.n; at = Math.ceil(at * 1.04)) {
      line.push([x(at), y(part * P(at))]);
    }
    const steps = all.values.map((value, i) => [value, all.from[i] / all.n]);
    const far = distance(tail(), law(chosen));
    const drawn = sample?.values.map((at, i) => [at, sample.from[i] / all.n]) ?? [];
    return {
      height,
      content: framed(
        dots(steps.filter(([value]) => value < fit[0]), "currentcolor", 3, 0.4),
        dots(steps.filter(([value]) => value >= fit[0]), "var(--als-blue)", 5),
        dots(drawn, "var(--als-orange)", 4),
        make("path", {
          d: pathThrough(line), fill: "none", stroke: "currentcolor", "stroke-width": 1.5,
        }),
        make("circle", {
          cx: x(far.x), cy: y(part * P(far.x)), r: 8, fill: "none", stroke: "var(--als-red)",
          "stroke-width": 3,
        }),
      ),
    };
  }

  const head = (text) => make("th", { scope: "col", class: "als-number" }, text);
  element.append(
    make(
      "div", { class: "als-sides" },
      make("div", {}, which.element, stopping, exponents.element),
      make(
        "table", { class: "als-table als-narrow" },
        make("caption", {}, "Laws for this tail (R below 0 speaks for the rival)"),
        make("tr", {}, make("td"), head("KS"), head("R"), head("p")),
        ...rows.map((row) => row.element),
      ),
    ),
    make(
      "div", { class: "als-row" },
      button("Draw from the law", drawOne),
      button("Best fit", () => moveTo(group.x_min)),
    ),
    told.element,
    view.element,
    legend([
      ["var(--als-blue)", "data"], ["currentcolor", "law"], ["var(--als-orange)", "draw"],
      ["var(--als-red)", "where they differ most"],
    ]),
  );
  enter();
}

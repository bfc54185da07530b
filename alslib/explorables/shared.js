/* What all explorables share: elements, sliders, scales, a voice, and the way onto the page. */

const SVG = new Set(["svg", "g", "path", "line", "circle", "ellipse", "rect", "text", "title"]);

/* Make an element. Attributes that are functions are listeners; null and false are left out. */
export function make(tag, attributes = {}, ...children) {
  const element = SVG.has(tag)
    ? document.createElementNS("http://www.w3.org/2000/svg", tag)
    : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== null && value !== false) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

export const set = (element, attributes) => {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
};

/* The same number of digits everywhere, and a minus as long as a plus. */
export const fixed = (value, digits = 2) => {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
};

/* The ratings of a scale, from its lowest to its highest. */
export const halfStars = ([low, high]) =>
  Array.from({ length: 2 * (high - low) + 1 }, (_, i) => low + i / 2);

const count = new Intl.NumberFormat("en"); // to make one takes longer than all else in a sentence
export const plural = (n, thing) => `${count.format(n)} ${thing}${n === 1 ? "" : "s"}`;

/* A native slider. `values` are its stops; `say` tells one in words, with its unit, to eyes and to
   screen readers. */
export function slider(label, values, first, say, changed) {
  const shown = make("span", { "aria-hidden": "true" });
  const input = make("input", {
    type: "range", min: 0, max: values.length - 1, step: 1, value: values.indexOf(first),
    input: () => {
      update();
      changed();
    },
  });
  const control = {
    element: make("label", { class: "als-slider" }, make("span", {}, label, " ", shown), input),
    get value() {
      return values[input.valueAsNumber];
    },
    set value(value) {
      input.value = values.indexOf(value);
      update();
    },
  };
  function update() {
    shown.textContent = say(control.value);
    input.setAttribute("aria-valuetext", say(control.value));
  }
  update();
  return control;
}

export const button = (text, act) => make("button", { type: "button", click: act }, text);

/* A sentence on the result. It is drawn at once and spoken when nothing has moved for a moment. */
export function voice() {
  const shown = make("p", { class: "als-said", "aria-hidden": "true" });
  const spoken = make("p", { class: "als-unseen", role: "status" });
  let waiting = null;
  return {
    element: make("div", {}, shown, spoken),
    say(text) {
      shown.textContent = text;
      clearTimeout(waiting);
      waiting = setTimeout(() => spoken.replaceChildren(text), 400);
    },
  };
}

/* Map the numbers of a domain to pixels. */
export const scale = ([low, high], [start, end]) => (value) =>
  start + ((value - low) / (high - low)) * (end - start);

/* Round numbers within a domain, about so many. */
export function ticks([low, high], about = 5) {
  const rough = (high - low) / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => step * (first + i));
}

/* A picture as wide as its place. `draw(width)` returns its height and what is in it; it is called
   whenever the width changes, and by `redraw`. */
export function picture(label, draw) {
  const svg = make("svg", { role: "img", "aria-label": label });
  let width = 0;
  function redraw() {
    if (!width) return;
    const { height, content } = draw(width);
    set(svg, { viewBox: `0 0 ${width} ${height}`, width, height });
    svg.replaceChildren(...content);
  }
  const element = make("div", { class: "als-picture" }, svg);
  new ResizeObserver(([{ contentRect }]) => {
    if (Math.round(contentRect.width) === width) return;
    width = Math.round(contentRect.width);
    redraw();
  }).observe(element);
  return { element, svg, redraw };
}

/* The frame of a plane: labels, lines where both axes have ticks, and a window that cuts off what
   lies outside. An axis is a function of the pixels between which it lies. `x` and `y` map numbers
   to pixels; `framed` puts things into the window. */
function frame(xAxis, yAxis, { width, height, xLabel, yLabel }) {
  const [left, right, top, bottom] = [40, width - 8, 24, height - 40];
  const [x, y] = [xAxis([left, right]), yAxis([bottom, top])];
  const line = (ends) => make("line", { class: "als-grid", ...ends });
  const tick = (attributes, said) => make("text", { class: "als-tick", ...attributes }, said);
  const ruled = make(
    "g", { "aria-hidden": "true" },
    ...x.ticks.flatMap(([at, said]) => [
      line({ x1: at, x2: at, y1: bottom, y2: top }),
      tick({ x: at, y: bottom + 16, "text-anchor": "middle" }, said),
    ]),
    ...y.ticks.flatMap(([at, said]) => [
      line({ x1: left, x2: right, y1: at, y2: at }),
      tick({ x: left - 6, y: at + 4, "text-anchor": "end" }, said),
    ]),
    make("text", { x: (left + right) / 2, y: bottom + 34, "text-anchor": "middle" }, xLabel),
    make("text", { x: 0, y: 12 }, yLabel),
  );
  const window = { x: left, y: top, width: right - left, height: bottom - top };
  const viewBox = Object.values(window).join(" ");
  return {
    x: x.at,
    y: y.at,
    framed: (...content) => [
      ruled, make("svg", { class: "als-window", ...window, viewBox }, ...content),
    ],
  };
}

const linear = (domain, digits) => (ends) => {
  const at = scale(domain, ends);
  return { at, ticks: ticks(domain).map((value) => [at(value), fixed(value, digits)]) };
};

const superscript = (k) =>
  [...String(k)].map((digit) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(digit)]).join("");
const powerOfTen = (k) => (k < -3 || k > 3 ? `10${superscript(k)}` : `${Number(`1e${k}`)}`);

const logarithmic = (domain) => (ends) => {
  const logs = domain.map(Math.log10);
  const at = scale(logs, ends);
  const powers = ticks(logs, logs[1] - logs[0]); // one for each whole number
  return { at: (value) => at(Math.log10(value)), ticks: powers.map((k) => [at(k), powerOfTen(k)]) };
};

/* A plane with two axes, ruled at round numbers. `digits` are those of the numbers at x and y. */
export const plane = ({ xDomain, yDomain, digits = [0, 0], ...rest }) =>
  frame(linear(xDomain, digits[0]), linear(yDomain, digits[1]), rest);

/* The same with two logarithmic axes, ruled at powers of ten. */
export const logPlane = ({ xDomain, yDomain, ...rest }) =>
  frame(logarithmic(xDomain), logarithmic(yDomain), rest);

/* A square plane around zero, for vectors of two factors. */
export function factorPlane(width, reach) {
  const side = Math.min(width, 360);
  const domain = [-reach, reach];
  const size = { width: side, height: side + 20, xDomain: domain, yDomain: domain };
  const labels = { xLabel: "first factor", yLabel: "second factor", digits: [1, 1] };
  return { height: size.height, ...plane({ ...size, ...labels }) };
}

/* The normal equations with λ = 1: Z'Z + D and Z'e, for rows [e, z] and the diagonal of D. */
export function normalEquations(rows, ridge) {
  const A = ridge.map((d, i) => ridge.map((_, j) => (i === j ? d : 0)));
  const right = ridge.map(() => 0);
  for (const [e, z] of rows) {
    for (let i = 0; i < z.length; i += 1) {
      right[i] += z[i] * e;
      for (let j = 0; j < z.length; j += 1) A[i][j] += z[i] * z[j];
    }
  }
  return { A, right };
}

/* Their solution, by elimination; null where there are many. */
export function solve({ A, right }) {
  const rows = A.map((row, i) => [...row, right[i]]);
  const size = rows.length;
  const tiny = 1e-9 * Math.max(...A.flat().map(Math.abs));
  for (let i = 0; i < size; i += 1) {
    const larger = (one, row) => (Math.abs(row[i]) > Math.abs(one[i]) ? row : one);
    const pivot = rows.slice(i).reduce(larger);
    if (Math.abs(pivot[i]) <= tiny) return null;
    rows.splice(rows.indexOf(pivot), 1);
    rows.splice(i, 0, pivot);
    for (let below = i + 1; below < size; below += 1) {
      const share = rows[below][i] / pivot[i];
      for (let k = i; k <= size; k += 1) rows[below][k] -= share * pivot[k];
    }
  }
  const x = Array(size).fill(0);
  for (let i = size - 1; i >= 0; i -= 1) {
    let left = rows[i][size];
    for (let k = i + 1; k < size; k += 1) left -= rows[i][k] * x[k];
    x[i] = left / rows[i][i];
  }
  return x;
}

/* Fill the places on the page that wait for an explorable, and hide the figure that each replaces:
   the output before it, in the book, in Jupyter and on Colab. A text in a place gives way. */
export function start(name, data) {
  const waiting = `.als-explorable[data-name="${name}"]:not([data-live])`;
  for (const element of document.querySelectorAll(waiting)) {
    element.dataset.live = "";
    element.replaceChildren();
    alsExplorables[name].mount(element, data);
    const output = element.closest(".jp-OutputArea-child, .output, .output-area > *") ?? element;
    const figure = output.previousElementSibling;
    if (figure?.querySelector("img")) figure.classList.add("als-replaced");
  }
}

/* A line through points [x, y] in pixels. */
export const pathThrough = (points) =>
  points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

/* A group of radio buttons side by side; `options` are [value, text]. */
export function choice(legend, name, options, first, changed) {
  let chosen = first;
  const radios = options.map(([value, text]) =>
    make(
      "label", { class: "als-check" },
      make("input", {
        type: "radio", name: `als-${name}`, checked: value === first,
        change: () => {
          chosen = value;
          changed();
        },
      }),
      make("span", {}, text),
    ));
  return {
    element: make("fieldset", { class: "als-row" }, make("legend", {}, legend), ...radios),
    get value() {
      return chosen;
    },
  };
}

/* What the colours of a picture mean; `entries` are [colour, meaning]. */
export const legend = (entries) =>
  make(
    "div", { class: "als-row" },
    ...entries.map(([colour, meaning]) =>
      make(
        "span", {},
        make("span", { class: "als-key", style: `background: ${colour}` }),
        ` ${meaning}`,
      )),
  );

/* The map: movies and you, seen along the two directions in which the movies differ most. */

import { make, picture, plural, set } from "../shared.js";
import { place, withoutYear } from "./model.js";

const MARGIN = 16;
const [LOWEST, HIGHEST] = [256, 432]; // pixels of the picture
/* Few ratings move somebody only a little way out. What counts is the direction, so you are drawn
   three times as far from the middle as the scale of the movies says. */
const ENLARGED = 3;
const FAMOUS = 50; // ratings of a movie that the map may name
const NAMES = 14;
const NAME_LENGTH = 24;
const LETTER = 6.4; // pixels
const REACH = 14; // pixels between a pointer and the movie that it means

const listed = new Intl.ListFormat("en-GB");

/* `show` draws somebody, and the movies that are recommended to them. */
export function movieMap(model) {
  const { n_ratings: counts, title: titles } = model.items;
  const places = model.factors.map((vector) => place(model, vector));
  const famous = [...places.keys()]
    .filter((row) => counts[row] >= FAMOUS)
    .sort((a, b) => counts[b] - counts[a]);
  const spans = [0, 1].map((axis) => {
    const values = places.map((place) => place[axis]);
    return [Math.min(...values), Math.max(...values)];
  });

  const text = make("p", { id: "als-map-text", class: "als-muted als-small" });
  const cloud = make("path", { class: "als-cloud" });
  const mine = make("path", { class: "als-cloud als-cloud-rated" });
  const rings = make("path", { class: "als-rings" });
  const way = make("line", { class: "als-way" });
  const you = make("circle", { class: "als-you", r: 7 });
  const label = make("text", { class: "als-you-label", y: -12 }, "you");
  const pointed = make("text", { class: "als-pointed" });
  const { element, svg } = picture("A map of movies", layOut);
  element.classList.add("als-map");
  svg.setAttribute("aria-labelledby", text.id);
  svg.addEventListener("pointermove", ({ offsetX, offsetY }) => point(offsetX, offsetY));
  svg.addEventListener("pointerleave", () => pointed.replaceChildren());
  let size = [0, 0];
  let toPixels = null; // until the size is known
  let latest = null;

  function layOut(width) {
    const height = Math.min(Math.max(0.6 * width, LOWEST), HIGHEST);
    size = [width, height];
    const [[left, right], [bottom, top]] = spans;
    const scale = Math.min(
      (width - 2 * MARGIN) / (right - left),
      (height - 2 * MARGIN) / (top - bottom),
    );
    toPixels = ([x, y]) => [
      width / 2 + scale * (x - (left + right) / 2),
      height / 2 - scale * (y - (bottom + top) / 2),
    ];
    cloud.setAttribute("d", dots([...places.keys()]));
    move();
    return { height, content: [cloud, ...landmarks(), rings, mine, way, you, label, pointed] };
  }

  /* Many dots are one path: a line of no length has round ends. */
  const dots = (rows) =>
    rows.map((row) => `M${toPixels(places[row]).map((v) => v.toFixed(1))}h0`).join("");

  /* The names of well-known movies, as many as find room, the best known first. */
  function landmarks() {
    const taken = [];
    for (const row of famous) {
      const [x, y] = toPixels(places[row]);
      const title = withoutYear(titles[row]);
      const name =
        title.length > NAME_LENGTH ? `${title.slice(0, NAME_LENGTH - 1).trimEnd()}…` : title;
      const half = (LETTER / 2) * name.length;
      const overlaps = taken.some(
        (other) => Math.abs(other.x - x) < other.half + half + 8 && Math.abs(other.y - y) < 24,
      );
      if (!overlaps && x > half && x + half < size[0]) taken.push({ x, y, name, half });
      if (taken.length === NAMES) break;
    }
    return taken.map(({ x, y, name }) => make("text", { x, y: y - 6, class: "als-name" }, name));
  }

  /* Only what moves with the ratings is drawn anew, so that you are seen to move. */
  function move() {
    if (!toPixels || !latest) return;
    const { profile, best } = latest;
    const [x0, y0] = toPixels([0, 0]);
    const far = place(model, profile.factors).map((value) => ENLARGED * value);
    const [x, y] = toPixels(far).map((value, axis) =>
      Math.min(Math.max(value, MARGIN), size[axis] - MARGIN),
    );
    mine.setAttribute("d", dots(profile.ratings.map(({ row }) => row)));
    rings.setAttribute("d", best.map(({ row }) => ring(toPixels(places[row]))).join(""));
    set(way, { x1: x0, y1: y0, x2: x, y2: y });
    for (const element of [you, label]) element.style.transform = `translate(${x}px, ${y}px)`;
  }

  const ring = ([x, y]) => `M${x - 5} ${y}a5 5 0 1 0 10 0a5 5 0 1 0 -10 0`;

  /* Name the movie under the pointer. */
  function point(x, y) {
    const pixels = places.map(toPixels);
    const distances = pixels.map(([a, b]) => Math.hypot(a - x, b - y));
    const nearest = distances.indexOf(Math.min(...distances));
    const near = distances[nearest] < REACH;
    pointed.replaceChildren(near ? titles[nearest] : "");
    if (!near) return;
    const [a, b] = pixels[nearest];
    const left = a < size[0] / 2;
    set(pointed, {
      "text-anchor": left ? "start" : "end", x: a + (left ? 8 : -8), y: b < 24 ? b + 20 : b - 8,
    });
  }

  /* What the picture shows, in words. */
  function described({ profile, best }) {
    const rated = profile.ratings.length > 0;
    const sentences = [
      `A map of ${plural(places.length, "movie")}, drawn along the two of ${model.factors[0].length} ` +
        "directions in which they differ most.",
    ];
    if (best.length) sentences.push("Rings are the movies of the list above.");
    if (!rated) {
      sentences.push("You are in the middle, because you have not rated anything.");
      return sentences.join(" ");
    }
    const [a, b] = place(model, profile.factors);
    const order = famous
      .map((row) => ({ row, along: a * places[row][0] + b * places[row][1] }))
      .sort((one, other) => other.along - one.along);
    const named = (movies) => listed.format(movies.map(({ row }) => titles[row]));
    sentences.push(
      "Squares are those you rated. You are the large dot, at the end of a line from the middle, " +
        `drawn ${ENLARGED} times as far out as a movie with your factors would be.`,
      `Much-rated movies far out on your side: ${named(order.slice(0, 3))}.`,
      `On the other side: ${named(order.slice(-3).reverse())}.`,
    );
    return sentences.join(" ");
  }

  return {
    element,
    text,
    show(profile, best) {
      latest = { profile, best };
      text.textContent = described(latest);
      move();
    },
  };
}

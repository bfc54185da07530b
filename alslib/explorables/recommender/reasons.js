/* Why a movie is in the list: in a sentence and, unfolded, as the sum that its score is. */

import { fixed, make, plural } from "../shared.js";
import { doubt, explain, roundedParts, withoutYear } from "./model.js";
import { inStars } from "./stars.js";

const REASONS_NAMED = 2;
const SHARES_LISTED = 8;

const listed = new Intl.ListFormat("en-GB");

export const percent = (alpha) => `${Math.round(100 * alpha)}\u00a0%`;

/* `show` explains the place of a row in a ranking: by which model, for whom, with which options. */
export function reasons(model) {
  let explained = null;
  let table = null;
  const summary = make("summary");
  const element = make("details", { class: "als-why als-small", toggle: unfold }, summary);

  /* The sum is made when it is unfolded: ten tables that nobody sees take longer than the solve. */
  function unfold() {
    if (!element.open || table) return;
    table = sum(explained, model);
    element.append(table);
  }

  return {
    element,
    summary,
    show(ranking, row) {
      const { of, profile, options } = ranking;
      const parts = explain(of, profile, row, options.alpha);
      parts.price = options.caution && -options.caution * doubt(of, profile, row);
      explained = { ranking, parts };
      summary.textContent = because(parts);
      table?.remove();
      table = null;
      unfold();
    },
  };
}

function because({ ratings }) {
  const helpful = ratings.filter(({ share }) => share >= 0.005).slice(0, REASONS_NAMED);
  if (!helpful.length) return "Not because of your ratings";
  const texts = helpful.map(({ title, rating }) => `${withoutYear(title)} ${inStars(rating)}`);
  return `Because you rated ${listed.format(texts)}`;
}

/* The score as a sum, in a table. Of many ratings those with the largest shares are listed. */
function sum({ ranking: { of, options }, parts: all }, model) {
  const { score, mean, userBias, itemBias, ratings, price } = all;
  const bySize = [...ratings].sort((a, b) => Math.abs(b.share) - Math.abs(a.share));
  const named = new Set(bySize.slice(0, SHARES_LISTED));
  const others = ratings.filter((each) => !named.has(each));
  const ofStars = of === model;
  const damped = options.alpha < 1 ? `, counted ${percent(options.alpha)}` : "";
  const beforeTaste = ofStars
    ? [
        ["The average rating", mean],
        ["You, compared with others", userBias],
        [`The movie, compared with others${damped}`, itemBias],
      ]
    : [[`The share of all people who like it${damped}`, itemBias]];
  const parts = [
    ...beforeTaste,
    ...[...named]
      .sort((a, b) => b.share - a.share)
      .map(({ title, rating, share }) => [`You rated ${title} ${inStars(rating)}`, share]),
  ];
  if (others.length) {
    const together = others.reduce((total, { share }) => total + share, 0);
    parts.push([`Your other ${plural(others.length, "rating")}`, together]);
  }
  if (price) parts.push(["What is unknown of you and of the movie", price]);
  const whole = roundedParts(parts.map(([, value]) => value));
  const total = whole.reduce((a, b) => a + b, 0);
  const [low, high] = model.scale;
  const plain = ofStars && options.alpha === 1 && !price;
  const outside = plain && (score < low || score > high);
  const hundredths = (n, plus = "") => (n < 0 ? "" : plus) + fixed(n / 100);
  const line = (text, said) =>
    make("tr", {}, make("th", { scope: "row" }, text), make("td", { class: "als-number" }, said));
  return make(
    "table", { class: "als-table als-sum" },
    make(
      "tbody", {},
      ...parts.map(([text], i) => line(text, hundredths(whole[i], i ? "+" : ""))),
    ),
    make(
      "tfoot", {},
      line(plain ? "Sum" : "Its score in this list", hundredths(total)),
      ...(outside ? [line(`Stars end at ${score < low ? low : high}`, "")] : []),
    ),
  );
}

/* From a list of ratings to a list of recommendations. Nothing here knows of the page. It says in
   JavaScript what new_user.py, recommender.py and title_search.py in alslib/recommending/ say in
   Python, and tests/book/test_recommender_on_pages.py compares the two. */

import { dot, downwards, leastSquares, solveBy } from "./linear.js";

/* The rows that export_json has packed, as numbers. */
function unpack({ columns, unit, int16 }) {
  const bytes = Uint8Array.from(atob(int16), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const number = (_, i) => view.getInt16(2 * i, true) * unit;
  const values = Float64Array.from({ length: bytes.length / 2 }, number);
  return Array.from({ length: values.length / columns }, (_, row) =>
    values.subarray(row * columns, (row + 1) * columns),
  );
}

/* Turn what alslib.export_json wrote into a model with its factors as numbers. Items are counted
   from 0, in the order of their ids, and `rowOf` finds the place of an id. `choice` is a model, too,
   of what people choose: it has the share of all who liked an item for a bias, and no mean. */
export function decode(data) {
  if (data.format !== "alslib-model" || data.version !== 2) {
    throw new Error("this is not a model of version 2 from alslib.export_json");
  }
  const { items, choice } = data;
  const model = { ...data, factors: unpack(data.factors), equations: ofStars };
  model.rowOf = new Map(items.id.map((id, row) => [id, row]));
  if (choice) {
    const bias = choice.liked.map((n) => n / choice.n_users);
    const factors = unpack(choice.factors);
    const at = (i, j) => choice.ridge[(i * (i + 1)) / 2 + j]; // of the lower triangle
    const ridge = Array.from(factors[0], (_, i) =>
      Array.from(factors[0], (_, j) => at(Math.max(i, j), Math.min(i, j))),
    );
    const shared = { mean: 0, items: { ...items, bias }, equations: ofChoices };
    model.choice = { ...choice, ...shared, factors, ridge };
  }
  return indexTitles(model);
}

/* Both models minimise Σ (e − z · w)² + w' D w over w, and have the rows [e, z] and D from here. */

/* e = r − μ − b_n and z = (1, v_n); the ridge grows with the number of ratings. */
function ofStars({ mean, ridge, items, factors }, ratings) {
  const growth = Math.max(ratings.length, 1) ** ridge.power;
  const terms = ratings.map(({ row, rating }) => [
    rating - mean - items.bias[row],
    [1, ...factors[row]],
  ]);
  const diagonal = [ridge.bias, ...factors[0].map(() => ridge.factors)];
  const D = diagonal.map((d, i) => diagonal.map((_, j) => (i === j ? growth * d : 0)));
  return { terms, D, growth };
}

/* e = 1 − f_n and z = v_n, both times r / liked; the ridge is ρ (V'V + τ I) / λ. */
function ofChoices({ from, share, growth, ridge, items, factors }, ratings) {
  const rho = Math.min(1, share + growth * ratings.length);
  const terms = ratings.map(({ row, rating }) => {
    const root = rating / from;
    return [root * (1 - items.bias[row]), Array.from(factors[row], (v) => root * v)];
  });
  return { terms, D: ridge.map((row) => row.map((a) => rho * a)) };
}

/* The bias (0 where there is none) and the factors of somebody with these ratings,
   [{row, rating}, …]: the solution of (Σ z_j z_j' + D) w = Σ z_j e_j. */
export function foldIn(model, ratings) {
  const { terms, D, growth } = model.equations(model, ratings);
  const { w, L } = leastSquares(terms, D);
  const nBiases = w.length - model.factors[0].length; // one or none
  return { ratings, bias: nBiases ? w[0] : 0, factors: w.subarray(nBiases), terms, L, growth };
}

/* μ + b + α b_n + u · v_n; with α = 1 the predicted rating, before it is moved into the scale. */
export function score(model, profile, row, alpha = 1) {
  const taste = dot(model.factors[row], profile.factors);
  return model.mean + profile.bias + alpha * model.items.bias[row] + taste;
}

export function predicted(model, profile, row) {
  const [low, high] = model.scale;
  return Math.min(high, Math.max(low, score(model, profile, row)));
}

/* What is unknown of a person and an item, where ratings scatter by one star: growth · z' A⁻¹ z, and
   what export_json says of the item. */
function variance({ factors, interval }, { L, growth }, row) {
  const x = downwards(L, [1, ...factors[row]]);
  return growth * dot(x, x) + interval.variance[row];
}

/* By how many stars what a rating ought to be is uncertain: one standard deviation. */
export const doubt = (model, profile, row) =>
  model.interval.sigma * Math.sqrt(variance(model, profile, row));

/* Between which stars a share of such ratings lies. */
export function interval(model, profile, row) {
  const [low, high] = model.scale;
  const middle = score(model, profile, row);
  const width = model.interval.quantile * Math.sqrt(1 + variance(model, profile, row));
  return [middle - width, middle + width].map((end) => Math.min(high, Math.max(low, end)));
}

/* The items that may be in a list: often enough rated, of the genre (a number, or null for any),
   and not rated by this person. */
function candidates(model, profile, { minRatings = 1, genre = null } = {}) {
  const seen = new Set(profile.ratings.map(({ row }) => row));
  const rows = [...model.items.id.keys()];
  return rows.filter(
    (row) =>
      !seen.has(row) &&
      model.items.n_ratings[row] >= minRatings &&
      (genre === null || model.items.genres[row].includes(genre)),
  );
}

/* The n items with the largest values, [{row, value}, …]. Of equals the lower id comes first. */
function largest(rows, valueOf, n) {
  const best = [];
  for (const row of rows) {
    const value = valueOf(row);
    let place = best.length;
    while (place > 0 && best[place - 1].value < value) place -= 1;
    if (place < n) best.splice(place, 0, { row, value });
    if (best.length > n) best.pop();
  }
  return best;
}

/* Filtered first, ranked and cut off then: a filter never shortens the list while there is more. */
export function recommend(
  model, profile, { n = 10, alpha = 1, caution = 0, ...filters } = {},
) {
  const price = (row) => caution && caution * doubt(model, profile, row);
  const rows = candidates(model, profile, filters);
  return largest(rows, (row) => score(model, profile, row, alpha) - price(row), n);
}

export function trending(model, profile, { n = 10, ...filters } = {}) {
  const rows = candidates(model, profile, filters).filter((row) => model.items.n_recent[row]);
  return largest(rows, (row) => model.items.n_recent[row], n);
}

/* The parts of one score, which sum to it; `ratings` says what each rating adds to u · v_n, the
   largest first. As u is a sum over the ratings, so is u · v_n: the term of rating j is
   e_j z_j' w with w = A⁻¹ (0, v_n), or A⁻¹ v_n where there is no bias: one more solve with L. */
export function explain(model, profile, row, alpha = 1) {
  const { ratings, terms, L } = profile;
  const v = model.factors[row];
  const w = solveBy(L, [...Array(L.length - v.length).fill(0), ...v]);
  const shares = ratings.map((rated, j) => {
    const [e, z] = terms[j];
    return { ...rated, share: e * dot(z, w) };
  });
  return {
    score: score(model, profile, row, alpha),
    mean: model.mean,
    userBias: profile.bias,
    itemBias: alpha * model.items.bias[row],
    ratings: shares.sort((a, b) => b.share - a.share),
  };
}

/* Round numbers so that the rounded ones still sum to the rounded sum: those that lose most by
   rounding down are rounded up. Returns whole multiples of 1/100. */
export function roundedParts(values) {
  const exact = values.map((value) => 100 * value);
  const whole = exact.map(Math.floor);
  const target = Math.round(exact.reduce((a, b) => a + b, 0));
  const missing = target - whole.reduce((a, b) => a + b, 0);
  const order = [...exact.keys()].sort((a, b) => exact[b] - whole[b] - (exact[a] - whole[a]));
  for (const i of order.slice(0, missing)) whole[i] += 1;
  return whole;
}

// Letters that Unicode does not take apart into a letter and an accent.
const PLAIN_LETTERS = { æ: "ae", đ: "d", ı: "i", ł: "l", œ: "oe", ø: "o", ß: "ss", ς: "σ" };

/* Words as they are compared: small letters without accents and apostrophes. */
export function words(text) {
  const bare = text.replace(/['’`´]/g, "").normalize("NFKD").replace(/\p{M}/gu, "");
  const plain = bare.toLowerCase().replace(/[æđıłœøßς]/g, (letter) => PLAIN_LETTERS[letter]);
  return plain.match(/[\p{L}\p{N}_]+/gu) ?? [];
}

export const withoutYear = (title) => title.replace(/\s*\(\d{4}\)$/, "");

const sorted = (list) => [...list].sort().join(" ");

/* A model with the words of each title, and the title as people may write it whole: as it is,
   without its year, and without its article, too. */
export function indexTitles(model) {
  const spellings = (title) => {
    const yearless = withoutYear(title);
    return [title, yearless, yearless.replace(/, \p{L}{1,3}$/u, "")];
  };
  const { title } = model.items;
  return {
    ...model,
    words: title.map(words),
    wholes: title.map((one) => spellings(one).map((spelling) => sorted(words(spelling)))),
  };
}

/* The items with a word for each word of the query that begins like it: first those whose title
   the query is, then the most rated. */
export function search(model, query, n) {
  const wanted = words(query);
  if (!wanted.length) return { rows: [], total: 0 };
  const rows = [...model.words.keys()].filter((row) =>
    wanted.every((start) => model.words[row].some((word) => word.startsWith(start))),
  );
  const isWhole = (row) => model.wholes[row].includes(sorted(wanted));
  const best = [rows.filter(isWhole), rows.filter((row) => !isWhole(row))].flatMap((part) =>
    largest(part, (row) => model.items.n_ratings[row], n),
  );
  return { rows: best.slice(0, n).map(({ row }) => row), total: rows.length };
}

/* Where a vector lies on the map: its parts in the two widest directions. */
export const place = (model, vector) => model.directions.map((direction) => dot(direction, vector));

/* From a list of ratings to a list of recommendations. Nothing here knows of the page. It says in
   JavaScript what new_user.py, recommender.py and title_search.py in alslib/recommending/ say in
   Python, and tests/book/test_recommender_on_pages.py compares the two. */

import { normalEquations } from "../shared.js";

/* Turn what alslib.export_json wrote into a model with its factors as numbers. Items are counted
   from 0, in the order of their ids, and `rowOf` finds the place of an id. */
export function decode(data) {
  if (data.format !== "alslib-model" || data.version !== 1) {
    throw new Error("this is not a model of version 1 from alslib.export_json");
  }
  const { columns, unit, int16 } = data.factors;
  const bytes = Uint8Array.from(atob(int16), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const values = Float64Array.from(
    { length: bytes.length / 2 },
    (_, i) => view.getInt16(2 * i, true) * unit,
  );
  const { items } = data;
  return indexTitles({
    ...data,
    nFactors: columns,
    factors: items.id.map((_, row) => values.subarray(row * columns, (row + 1) * columns)),
    rowOf: new Map(items.id.map((id, row) => [id, row])),
  });
}

const dot = (a, b) => {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i] * b[i];
  return total;
};

/* Cholesky: the lower triangle L with L L' = A, for a positive definite A (a list of rows). */
function cholesky(A) {
  const L = A.map((row) => new Float64Array(row.length));
  for (let i = 0; i < A.length; i++) {
    for (let j = 0; j <= i; j++) {
      let rest = A[i][j];
      for (let k = 0; k < j; k++) rest -= L[i][k] * L[j][k];
      L[i][j] = i === j ? Math.sqrt(rest) : rest / L[j][j];
    }
  }
  return L;
}

/* Solve L L' x = y, downwards through L, then upwards through L'. Ten movies are explained with one
   L; elimination would begin anew for each of them. */
function solveBy(L, y) {
  const x = Float64Array.from(y);
  for (let i = 0; i < x.length; i++) {
    for (let k = 0; k < i; k++) x[i] -= L[i][k] * x[k];
    x[i] /= L[i][i];
  }
  for (let i = x.length - 1; i >= 0; i--) {
    for (let k = i + 1; k < x.length; k++) x[i] -= L[k][i] * x[k];
    x[i] /= L[i][i];
  }
  return x;
}

/* The bias and the factors of somebody with these ratings, [{row, rating}, …]: the solution of
   (Σ z_j z_j' + D) (b, u) = Σ z_j e_j with z_j = (1, v_j), e_j = r_j − μ − b_j and the ridge D. */
export function foldIn(model, ratings) {
  const { ridge, nFactors } = model;
  const growth = ratings.length ** ridge.power;
  const D = Array(nFactors + 1).fill(growth * ridge.factors);
  D[0] = growth * ridge.bias;
  const terms = ratings.map(({ row, rating }) => [
    rating - model.mean - model.items.bias[row],
    [1, ...model.factors[row]],
  ]);
  const { A, right } = normalEquations(terms, D);
  const L = ratings.length ? cholesky(A) : null; // nothing to solve
  const [bias, ...factors] = L ? solveBy(L, right) : right;
  return { ratings, bias, factors, terms, L };
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

/* The n items with the largest values, [{row, value}, …]. Sorting is stable: of equals the lower
   id comes first. */
const largest = (rows, valueOf, n) =>
  rows
    .map((row) => ({ row, value: valueOf(row) }))
    .sort((a, b) => b.value - a.value)
    .slice(0, n);

/* Filtered first, ranked and cut off then: a filter never shortens the list while there is more. */
export function recommend(model, profile, { n = 10, alpha = 1, ...filters } = {}) {
  const rows = candidates(model, profile, filters);
  return largest(rows, (row) => score(model, profile, row, alpha), n);
}

export function trending(model, profile, { n = 10, ...filters } = {}) {
  const rows = candidates(model, profile, filters).filter((row) => model.items.n_recent[row]);
  return largest(rows, (row) => model.items.n_recent[row], n);
}

/* The parts of one score, which sum to it; `ratings` says what each rating adds to u · v_n, the
   largest first. As u is a sum over the ratings, so is u · v_n: the term of rating j is
   e_j z_j' w with w = A⁻¹ (0, v_n), one more solve with the same L. */
export function explain(model, profile, row, alpha = 1) {
  const { ratings, terms, L } = profile;
  const w = L && solveBy(L, [0, ...model.factors[row]]);
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
const PLAIN_LETTERS = { æ: "ae", đ: "d", ł: "l", œ: "oe", ø: "o", ß: "ss" };

/* Words as they are compared: small letters without accents and apostrophes. */
function words(text) {
  const bare = text.replace(/['’`´]/g, "").normalize("NFKD").replace(/\p{M}/gu, "");
  const plain = bare.toLowerCase().replace(/[æđłœøß]/g, (letter) => PLAIN_LETTERS[letter]);
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

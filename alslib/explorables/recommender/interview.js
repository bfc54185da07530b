/* Which movie to ask about next. The formulas, and what they are chosen by, stand in
   alslib/recommending/interview.py. */

import { dot, downwards, leastSquares } from "./linear.js";

const CHOICE = 0.05; // ρ
const SMALLEST_CHANCE = 1e-3;
const LISTED = 10;

/* The chance of every item that somebody has seen it, who has seen and not seen these rows. */
function chances({ items, choice }, seen, unseen) {
  const shares = items.n_ratings.map((n) => n / choice.n_users);
  const answers = [...seen.map((row) => [row, 1]), ...unseen.map((row) => [row, 0])];
  const { w } = leastSquares(
    answers.map(([row, answer]) => [answer - shares[row], choice.factors[row]]),
    choice.ridge.map((row) => row.map((a) => CHOICE * a)),
  );
  return shares.map((share, row) =>
    Math.min(1, Math.max(SMALLEST_CHANCE, share + dot(w, choice.factors[row]))),
  );
}

/* The row of the movie, or null if none is left. `profile` is of the model of stars. */
export function nextQuestion(model, { ratings, L }, unseen) {
  const seen = ratings.map(({ row }) => row);
  const chance = chances(model, seen, unseen);
  const answered = new Set([...seen, ...unseen]);
  const left = [...model.items.id.keys()].filter((row) => !answered.has(row));
  if (!left.length) return null;
  const x = new Map(left.map((row) => [row, downwards(L, [1, ...model.factors[row]])]));
  const listed = [...left].sort((a, b) => chance[b] - chance[a]).slice(0, LISTED);
  const fall = (row) => {
    const total = listed.reduce((sum, other) => sum + dot(x.get(other), x.get(row)) ** 2, 0);
    return total / (1 + dot(x.get(row), x.get(row)));
  };
  const worth = left.map((row) => chance[row] * fall(row));
  return left[worth.indexOf(Math.max(...worth))];
}

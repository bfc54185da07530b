/* What lessons 3 and 4 share: a small table, and users and movies that take turns. */

import { fixed } from "../shared.js";

/* [user, movie, value] for each cell that is not null. */
export const known = (table) =>
  table
    .flatMap((row, m) => row.map((value, n) => [m, n, value]))
    .filter(([, , value]) => value !== null);

/* Half-steps and the L after each. `state` is what `objective` and `halfStep` read; `show` is called
   when it has changed. */
export function byTurns(state, objective, halfStep, show) {
  const turns = {
    steps: [], // [whose turn, L after it]
    begin(values) {
      Object.assign(state, values);
      turns.steps = [["start", objective(state)]];
      show();
    },
    step(side) {
      state[side] = halfStep(state, side);
      turns.steps.push([side, objective(state)]);
      show();
    },
    /* The last turn in words; `opening` tells the start. */
    said(opening) {
      const [side, L] = turns.steps.at(-1);
      if (side === "start") return `${opening}: L = ${fixed(L, 3)}.`;
      const fall = turns.steps.at(-2)[1] - L;
      return `${turns.steps.length - 1}. ${side}: L falls by ${fixed(fall, 3)} to ${fixed(L, 3)}.`;
    },
  };
  return turns;
}

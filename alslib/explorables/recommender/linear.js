/* Linear algebra for small systems: lists of rows, as long as there are factors. */

import { normalEquations } from "../shared.js";

export const dot = (a, b) => {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i] * b[i];
  return total;
};

/* Cholesky: the lower triangle L with L L' = A, for a positive definite A (a list of rows). */
function cholesky(A) {
  const L = A.map((row) => new Float64Array(row.length));
  for (let i = 0; i < A.length; i++) {
    for (let j = 0; j <= i; j++) {
      const [row, other] = [L[i], L[j]];
      let rest = A[i][j];
      for (let k = 0; k < j; k++) rest -= row[k] * other[k];
      row[j] = i === j ? Math.sqrt(rest) : rest / other[j];
    }
  }
  return L;
}

/* Solve L x = y, downwards. */
export function downwards(L, y) {
  const x = Float64Array.from(y);
  for (let i = 0; i < x.length; i++) {
    for (let k = 0; k < i; k++) x[i] -= L[i][k] * x[k];
    x[i] /= L[i][i];
  }
  return x;
}

/* Solve L L' x = y: downwards through L, then upwards through L'. Ten movies are explained with one
   L; elimination would begin anew for each of them. */
export function solveBy(L, y) {
  const x = downwards(L, y);
  for (let i = x.length - 1; i >= 0; i--) {
    for (let k = i + 1; k < x.length; k++) x[i] -= L[k][i] * x[k];
    x[i] /= L[i][i];
  }
  return x;
}

/* The w with the smallest Σ (e − z · w)² + w' D w, for rows [e, z], and the L of its equations. */
export function leastSquares(rows, D) {
  const { A, right } = normalEquations(rows, D.map(() => 0));
  const L = cholesky(A.map((row, i) => row.map((a, j) => a + D[i][j])));
  return { w: solveBy(L, right), L };
}

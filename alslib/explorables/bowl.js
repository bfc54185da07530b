/* Lesson 4: one user's part of L over two factors, as a bowl seen from above.

   Data: movies [title, stars, residual e, [v1, v2]], taus (the stops of the slider), tau (the first),
   reach (the axes go from −reach to reach). */

import { factorPlane, fixed, make, normalEquations, picture, slider, solve, voice } from "./shared.js";

const LEVELS = [0.3, 1, 2, 4, 8, 16, 32]; // heights above the lowest point

const equations = (movies, tau) =>
  normalEquations(movies.map(([, , e, v]) => [e, v]), [tau, tau]);

/* The lowest point, or null where there are many. */
export const lowest = (movies, tau) => solve(equations(movies, tau));

/* The ellipse of points a height above the lowest: half axes and the angle of the longer one. */
export function ellipse(movies, tau, height) {
  const { A: [[a, b], [, d]] } = equations(movies, tau);
  const middle = (a + d) / 2;
  const spread = Math.hypot((a - d) / 2, b);
  const [steep, flat] = [middle + spread, middle - spread]; // the eigenvalues of A
  return {
    long: Math.sqrt((2 * height) / flat),
    short: Math.sqrt((2 * height) / steep),
    angle: Math.atan2(2 * b, a - d) / 2 + Math.PI / 2,
  };
}

export function mount(element, data) {
  const { movies, taus, reach } = data;
  let pointed = null;
  const point = (movie) => () => {
    pointed = movie;
    bowl.redraw();
  };
  const boxes = movies.map((movie) => {
    const [title, stars, e] = movie;
    return make(
      "label",
      { class: "als-check", pointerenter: point(movie), pointerleave: point(null),
        focusin: point(movie), focusout: point(null) },
      make("input", { type: "checkbox", checked: true, change: update }),
      make("span", {}, `${title}: ${stars} ★, e\u00a0=\u00a0${fixed(e, 1)}`),
    );
  });
  const tau = slider("Ridge", taus, data.tau, (value) => `τ = ${value}`, update);
  const told = voice();
  const bowl = picture("Contour lines of one user’s part of L over two factors", draw);
  const rated = () => movies.filter((_, i) => boxes[i].firstChild.checked);

  function draw(width) {
    const { height, x, y, framed } = factorPlane(width, reach);
    const arrow = ([title, , , [v1, v2]], width) =>
      make(
        "line",
        { x1: x(0), y1: y(0), x2: x(v1), y2: y(v2), stroke: "var(--als-orange)", "stroke-width": width },
        make("title", {}, title),
      );
    const content = rated().map((movie) => arrow(movie, movie === pointed ? 5 : 1.5));
    const best = lowest(rated(), tau.value);
    if (best) {
      const place = `translate(${x(best[0])} ${y(best[1])})`;
      const unit = x(1) - x(0);
      for (const level of LEVELS) {
        const { long, short, angle } = ellipse(rated(), tau.value, level);
        content.push(make("ellipse", {
          rx: unit * long, ry: unit * short, fill: "none", stroke: "var(--als-blue)",
          transform: `${place} rotate(${(-180 / Math.PI) * angle})`,
        }));
      }
      content.push(make("circle", { r: 6, fill: "var(--als-red)", transform: place }));
    }
    return { height, content: framed(...content) };
  }

  function update() {
    bowl.redraw();
    told.say(inWords(rated(), tau.value));
  }

  element.append(
    tau.element,
    make(
      "div", { class: "als-sides" },
      bowl.element,
      make("fieldset", {}, make("legend", {}, "Ratings that count"), ...boxes),
    ),
    told.element,
  );
  update();
}

function inWords(movies, tau) {
  const best = lowest(movies, tau);
  if (!best) {
    return movies.length
      ? "Without a ridge these ratings leave a valley: all points along it are lowest."
      : "Without ratings and without a ridge every point is as low as any other.";
  }
  const { long, short } = ellipse(movies, tau, 1);
  return (
    `${movies.length} ratings, τ = ${tau}: lowest at u = (${best.map((u) => fixed(u)).join(", ")}). ` +
    `The bowl is ${fixed(long / short, 1)} times as long as wide.`
  );
}

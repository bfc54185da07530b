/* Five stars to set, and how many stars are in words. */

import { fixed, make } from "../shared.js";

const STEP = 0.5;

export const inStars = (value) => (value === 1 ? "1 star" : `${value} stars`);

/* A native slider, unseen, over drawn stars, and the number beside them. At the far left it means
   “not rated”. */
export function starSlider(attributes, [low, high]) {
  const slider = make("input", { type: "range", min: 0, max: high, step: STEP, ...attributes });
  const number = make("span", { class: "als-number", "aria-hidden": "true" });
  const drawn = make("div", { class: "als-five" }, slider);
  const element = make("div", { class: "als-stars" }, drawn, number);
  let shown; // nothing yet
  return {
    element,
    slider,
    get rating() {
      return slider.valueAsNumber < low ? null : slider.valueAsNumber;
    },
    show(rating) {
      if (rating === shown && slider.valueAsNumber === (rating ?? 0)) return; // one of many moves
      shown = rating;
      slider.value = rating ?? 0;
      slider.setAttribute("aria-valuetext", rating === null ? "not rated" : inStars(rating));
      element.style.setProperty("--als-share", (rating ?? 0) / high);
      number.textContent = rating === null ? "" : fixed(rating, 1);
    },
  };
}

/* Making elements: what the search, the map and the page share. */

"use strict";

globalThis.alsDom = (() => {
  const STEP = 0.5; // stars
  const SVG = new Set(["svg", "path", "circle", "line", "text"]);

  /* Make an element. Attributes that are functions are listeners; null and false are left out. */
  function make(tag, attributes = {}, ...children) {
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

  const unseen = (text) => make("span", { class: "als-unseen" }, text);
  const small = (...children) => make("p", { class: "als-muted als-small" }, ...children);
  const field = (id, text, control) => make("div", {}, make("label", { for: id }, text), control);

  /* A button may tell screen readers more than it shows. */
  const button = (text, act, name = null) =>
    make("button", { type: "button", class: "als-button", click: act, "aria-label": name }, text);

  /* Five stars to set: a native slider, unseen, over drawn stars, and the number beside them. At
     the far left it means “not rated”. */
  function starSlider(attributes, [low, high]) {
    const slider = make("input", { type: "range", min: 0, max: high, step: STEP, ...attributes });
    const number = make("span", { class: "als-number", "aria-hidden": "true" });
    const drawn = make("div", { class: "als-five" }, slider);
    const element = make("div", { class: "als-stars" }, drawn, number);
    return {
      element,
      slider,
      get rating() {
        return slider.valueAsNumber < low ? null : slider.valueAsNumber;
      },
      show(rating) {
        slider.value = rating ?? 0;
        slider.setAttribute("aria-valuetext", rating === null ? "not rated" : inStars(rating));
        element.style.setProperty("--als-share", (rating ?? 0) / high);
        number.textContent = rating === null ? "" : rating.toFixed(1);
      },
    };
  }

  // Text

  const grouped = new Intl.NumberFormat("en");
  const plural = (n, thing) => `${grouped.format(n)} ${thing}${n === 1 ? "" : "s"}`;
  const inStars = (value) => (value === 1 ? "1 star" : `${value} stars`);
  const withoutYear = (title) => title.replace(/ \(\d+\)$/, "");
  const listed = (texts) =>
    texts.length < 2 ? texts.join("") : `${texts.slice(0, -1).join(", ")} and ${texts.at(-1)}`;

  return { make, unseen, small, field, button, starSlider, plural, inStars, withoutYear, listed };
})();

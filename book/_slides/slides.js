// Arrow keys and the space bar go from slide to slide, unless they move something on it.
const slides = [...document.querySelectorAll("section")];
const steps = { ArrowRight: 1, PageDown: 1, " ": 1, ArrowLeft: -1, PageUp: -1 };

addEventListener("keydown", (event) => {
  const step = event.shiftKey && event.key === " " ? -1 : steps[event.key];
  const moved = event.key === " " ? "summary, input, select, button" : "summary, input, select";
  const isForOther = event.ctrlKey || event.altKey || event.metaKey || event.target.closest(moved);
  if (!step || isForOther) return;
  event.preventDefault();
  const middle = innerHeight / 2;
  const here = slides.findIndex((slide) => slide.getBoundingClientRect().bottom > middle);
  slides[Math.min(Math.max(here + step, 0), slides.length - 1)]?.scrollIntoView();
});

// Arrow keys and the space bar go from slide to slide.
const slides = [...document.querySelectorAll("section")];
const steps = { ArrowRight: 1, PageDown: 1, " ": 1, ArrowLeft: -1, PageUp: -1 };

addEventListener("keydown", (event) => {
  const step = event.shiftKey && event.key === " " ? -1 : steps[event.key];
  const isForOther = event.ctrlKey || event.altKey || event.metaKey || event.target.closest("summary");
  if (!step || isForOther) return;
  event.preventDefault();
  const middle = innerHeight / 2;
  const here = slides.findIndex((slide) => slide.getBoundingClientRect().bottom > middle);
  slides[Math.min(Math.max(here + step, 0), slides.length - 1)]?.scrollIntoView();
});

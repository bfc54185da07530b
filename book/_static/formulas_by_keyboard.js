/* The Tab key stops at what it can do something with. MathJax would let it stop at every formula,
   a hundred times in a lesson, so _config.yml turns that off. But a formula that is wider than its
   place scrolls, and the arrow keys do that only where the focus is. */

"use strict";

addEventListener("load", async () => {
  await globalThis.MathJax?.startup?.promise;
  const widths = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    }
  });
  const formulas = document.querySelectorAll(".bd-article mjx-container[display='true']");
  for (const formula of formulas) widths.observe(formula);
});

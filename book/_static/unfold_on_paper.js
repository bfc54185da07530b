/* On paper nothing can be unfolded: answers, solutions and hidden cells are open while the page is
   printed, from a browser or into the PDF of `make pdf`, and closed again when that is done. */

"use strict";

{
  let opened = [];

  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll(".bd-article details:not([open], .als-explorable *)")];
    for (const fold of opened) fold.open = true;
  });

  addEventListener("afterprint", () => {
    for (const fold of opened) fold.open = false;
    opened = [];
  });
}

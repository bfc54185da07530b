/* The search: a combobox with a list box, as the ARIA Authoring Practices describe it. */

import { make, plural } from "../shared.js";
import { search } from "./model.js";

const SHOWN = 8;

/* `note` gives the text beside a movie, `choose` is called with the row of the one chosen. */
export function searchBox(model, note, choose) {
  let matches = [];
  let active = -1; // the place of the option that the arrow keys have reached
  const options = make("ul", {
    id: "als-options", role: "listbox", class: "als-options", "aria-label": "Movies", hidden: true,
  });
  const found = make("p", { role: "status", class: "als-unseen" });
  const box = make("input", {
    id: "als-search", type: "text", role: "combobox", class: "als-box", autocomplete: "off",
    spellcheck: "false", placeholder: "for example: alien", "aria-autocomplete": "list",
    "aria-controls": "als-options", "aria-expanded": "false",
    input: lookUp, focus: lookUp, blur: close, keydown: onKey,
  });

  function lookUp() {
    const typed = box.value.trim() !== "";
    const { rows, total } = search(model, box.value, SHOWN);
    matches = rows;
    options.replaceChildren(...matches.map(option));
    if (total > matches.length) remark(`${total - matches.length} more: type on`);
    if (typed && !total) remark("No such movie here. Only movies with enough ratings are.");
    found.textContent = typed ? plural(total, "movie") : "";
    options.hidden = !typed;
    box.setAttribute("aria-expanded", String(matches.length > 0));
    activate(-1);
  }

  function option(row, place) {
    return make(
      "li",
      {
        id: `als-option-${place}`, role: "option", class: "als-option", "aria-selected": "false",
        // The list would close when the box loses the focus, before the click arrives.
        mousedown: (event) => event.preventDefault(),
        click: () => take(row),
      },
      make("span", {}, model.items.title[row]),
      make("span", { class: "als-muted als-small" }, note(row)),
    );
  }

  const remark = (text) =>
    options.append(
      make("li", { role: "presentation", class: "als-more als-muted als-small" }, text),
    );

  function activate(place) {
    active = place;
    matches.forEach((_, i) => options.children[i].setAttribute("aria-selected", i === place));
    if (place < 0) {
      box.removeAttribute("aria-activedescendant");
    } else {
      box.setAttribute("aria-activedescendant", `als-option-${place}`);
      options.children[place].scrollIntoView({ block: "nearest" });
    }
  }

  function close() {
    options.hidden = true;
    box.setAttribute("aria-expanded", "false");
    activate(-1);
  }

  function take(row) {
    box.value = "";
    lookUp();
    choose(row);
  }

  function onKey(event) {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (options.hidden) lookUp();
      if (!matches.length) return;
      const next = event.key === "ArrowDown" ? active + 1 : Math.max(active, 0) - 1;
      activate((next + matches.length) % matches.length);
    } else if (event.key === "Enter" && !options.hidden && matches.length) {
      event.preventDefault();
      take(matches[Math.max(active, 0)]); // the first, when none was moved to
    } else if (event.key === "Escape") {
      if (options.hidden) box.value = "";
      close();
    }
  }

  return { box, element: make("div", { class: "als-anchor" }, box, options, found) };
}

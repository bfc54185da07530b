/* What was in an opened file beside the ratings that are in the list now: movies to choose from,
   and those that are not known here. */

import { button, make, plural } from "../shared.js";
import { inStars } from "./stars.js";

const named = ({ title, year }) => (year === null ? title : `${title} (${year})`);

function remarks({ nByTitle, nRepeated, nUnrated, nNoFilms, halved }) {
  const left = [
    nRepeated && `${plural(nRepeated, "earlier rating")} of a movie rated again`,
    nUnrated && `${plural(nUnrated, "line")} without a rating`,
    nNoFilms && `${plural(nNoFilms, "line")} about series, episodes or games`,
  ].filter(Boolean);
  return [
    halved && "Ratings from 1 to 10 are halved.",
    nByTitle && `Found by the title alone, without a year: ${plural(nByTitle, "movie")}.`,
    left.length && `Left out: ${new Intl.ListFormat("en-GB").format(left)}.`,
  ].filter(Boolean);
}

/* `take` is called with those that a reader has chosen, [{item_id, title, rating}, …]. */
export function unclear({ items, rowOf }, take) {
  const element = make("div", { class: "als-unclear" });
  const titleOf = (item) => items.title[rowOf.get(item)];

  function asked(own) {
    const { doubtful } = own;
    const selects = doubtful.map(({ items: candidates }) =>
      make(
        "select", {},
        make("option", { value: "" }, "none of these"),
        ...candidates.map((item, i) => make("option", { value: i }, titleOf(item))),
      ),
    );
    const rate = button("Rate the chosen", () => {
      const places = selects.map(({ value }) => value);
      const chosen = doubtful.flatMap(({ items: candidates, rating }, i) =>
        places[i] === "" ? [] : [{ item_id: candidates[places[i]], rating }],
      );
      if (!chosen.length) {
        selects[0].focus();
        return;
      }
      show({ ...own, doubtful: doubtful.filter((_, i) => places[i] === "") });
      take(chosen.map((one) => ({ ...one, title: titleOf(one.item_id) })));
    });
    return make(
      "fieldset", {},
      make("legend", {}, "Which movie is it?"),
      ...doubtful.map((one, i) =>
        make("label", { class: "als-field" }, `${named(one)}, ${inStars(one.rating)}`, selects[i]),
      ),
      rate,
    );
  }

  function show(own) {
    const { doubtful, unknown } = own;
    const said = remarks(own);
    const parts = [
      said.length && make("p", { class: "als-small als-muted" }, said.join(" ")),
      doubtful.length && asked(own),
      unknown.length &&
        make(
          "details", { class: "als-small" },
          make("summary", {}, `${plural(unknown.length, "movie")} not known here`),
          make("ul", {}, ...unknown.map((one) => make("li", {}, named(one)))),
        ),
    ].filter(Boolean);
    element.replaceChildren(...parts);
    element.hidden = !parts.length;
  }

  const clear = () => show({ doubtful: [], unknown: [] });
  clear();
  return { element, show, clear };
}

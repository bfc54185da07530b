/* Lesson 8: one model, one error, and lists for several goals. All lists are recorded.

   Data: alphas, leasts and cautions (the stops of three sliders), first (their first values), rmse;
   measures (one for each setting: nDCG, share of the catalogue, median number of ratings), lists (for
   each setting one row of places in titles for each person), titles, liked (for each person the
   places in titles that they went on to like), people (names); most (the nDCG of the most rated). */

import { fixed, make, slider, voice } from "./shared.js";

/* The place of a setting in the records: α first, then the minimum, then the caution. */
export const placeOf = ({ alphas, leasts, cautions }, alpha, least, caution) =>
  (alphas.indexOf(alpha) * leasts.length + leasts.indexOf(least)) * cautions.length +
  cautions.indexOf(caution);

export function mount(element, data) {
  const { people, titles, liked } = data;
  const alpha = slider("How much esteem counts", data.alphas, data.first[0], (v) => `α = ${v}`, update);
  const least = slider("Ratings a movie must have", data.leasts, data.first[1], (v) => `${v} or more`, update);
  const caution = slider("Caution", data.cautions, data.first[2], (v) => `c = ${v} standard deviations`, update);
  const values = {};
  const row = (name, key) => {
    values[key] = make("td", { class: "als-number" });
    return make("tr", {}, make("th", { scope: "row" }, name), values[key]);
  };
  const table = make(
    "table", { class: "als-table" },
    row("RMSE, in stars", "rmse"), row("nDCG@10", "ndcg"), row("nDCG@10 of the most rated", "most"),
    row("share of movies shown to anybody", "coverage"), row("ratings of what is shown, median", "popularity"),
  );
  const lists = make("div", { class: "als-lists" });
  const told = voice();

  function update() {
    const at = placeOf(data, alpha.value, least.value, caution.value);
    const [ndcg, coverage, popularity] = data.measures[at];
    values.rmse.textContent = fixed(data.rmse, 3);
    values.ndcg.textContent = fixed(ndcg, 3);
    values.most.textContent = fixed(data.most, 3);
    values.coverage.textContent = `${fixed(100 * coverage, 1)} %`;
    values.popularity.textContent = String(popularity);
    lists.replaceChildren(
      ...data.lists[at].map((list, m) =>
        make(
          "div", {},
          make("strong", {}, people[m]),
          make(
            "ol", {},
            ...list.map((n) =>
              make("li", {}, titles[n], liked[m].includes(n) ? make("b", {}, " ★ liked") : ""),
            ),
          ),
        ),
      ),
    );
    told.say(
      `nDCG ${fixed(ndcg, 3)} (most rated: ${fixed(data.most, 3)}), ${fixed(100 * coverage, 1)} % of the ` +
        `movies are shown to anybody. The RMSE is ${fixed(data.rmse, 3)} wherever the sliders stand.`,
    );
  }

  element.append(
    make(
      "div", { class: "als-sides" },
      make("div", {}, alpha.element, least.element, caution.element),
      table,
    ),
    told.element,
    lists,
  );
  update();
}

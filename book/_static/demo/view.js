/* The demo: the list of ratings, what is shown of it, and what changes it. */

"use strict";

(() => {
  const { make, unseen, small, field, button, starSlider } = alsDom;
  const { plural, inStars, withoutYear, listed } = alsDom;
  const LIST_LENGTH = 10;
  const REASONS_NAMED = 2;
  const SHARES_LISTED = 8;
  const ESTEEM_STEPS = 19; // of 0.05 each, from α = 1 down to 0.05
  const LEAST_RATINGS = [10, 20, 50, 100, 200];
  const STORED_AS = "alslib-preferences";

  /* Hundredths as a number with two decimals, with a real minus. */
  const decimal = (whole, plus = "") =>
    (whole < 0 ? "−" : plus) + (Math.abs(whole) / 100).toFixed(2);

  function start(host, model) {
    const memory = alsPreferences.memory(STORED_AS);
    const level = Number(host.closest("section")?.querySelector("h1, h2, h3, h4")?.tagName[1] ?? 1);
    const heading = (text) => make(`h${level + 1}`, { class: "als-heading" }, text);

    /* All that changes. A rating of null is a movie that was chosen and has no stars yet. */
    let ratings = [];
    let before = null; // the ratings that “Undo” brings back
    let choice = { alpha: 1, minRatings: LEAST_RATINGS[1], genre: null };

    const rated = () => ratings.filter(({ rating }) => rating !== null);
    const known = () =>
      rated().flatMap(({ item_id, title, rating }) =>
        model.rowOf.has(item_id) ? [{ row: model.rowOf.get(item_id), title, rating }] : [],
      );

    // --- search ---

    const search = alsSearch(
      model,
      (row) => {
        const mine = rated().find(({ item_id }) => item_id === model.items.id[row]);
        return mine ? `rated ${mine.rating}` : plural(model.items.n_ratings[row], "rating");
      },
      choose,
    );

    /* Put a movie on top of the list, or find it there, and go to its stars. */
    function choose(row) {
      const item_id = model.items.id[row];
      if (!ratings.some((entry) => entry.item_id === item_id)) {
        ratings = [{ item_id, title: model.items.title[row], rating: null }, ...ratings];
      }
      showRatings();
      lines.get(item_id).stars.slider.focus();
    }

    // --- your ratings ---

    const list = make("ul", { class: "als-ratings", "aria-label": "Your ratings" });
    const empty = make(
      "p", { class: "als-muted" },
      "Nothing yet. Find a movie above, or rate one of the list.",
    );
    const kept = small();
    const message = make("span", { role: "status" });
    const undo = button("Undo", () => replace(before, "As before."));
    const file = make("input", {
      type: "file", class: "als-unseen", id: "als-file", accept: ".json,application/json",
      change: openFile,
    });
    const save = button("Save to a file", saveFile);
    const clear = button("Remove all", () => {
      replace([], `Removed ${plural(rated().length, "rating")}.`);
      undo.focus();
    });

    /* The lines of the list by id. They are kept, so that the one being moved keeps the focus. */
    const lines = new Map();

    function line({ item_id, title }) {
      const id = `als-rated-${item_id}`;
      const stars = starSlider(
        {
          "aria-labelledby": id,
          input: () => rate(item_id, title, stars.rating),
          keydown: (event) => event.key === "Enter" && search.box.focus(),
        },
        model.scale,
      );
      const name = make("span", { id, class: "als-title" }, title);
      if (!model.rowOf.has(item_id)) {
        name.append(make("span", { class: "als-muted" }, " (not among the movies here)"));
      }
      const away = button("×", () => remove(item_id), `Remove ${title}`);
      return { element: make("li", { class: "als-rated" }, name, stars.element, away), stars };
    }

    function rate(item_id, title, rating) {
      const there = ratings.some((entry) => entry.item_id === item_id);
      ratings = there
        ? ratings.map((entry) => (entry.item_id === item_id ? { ...entry, rating } : entry))
        : [{ item_id, title, rating }, ...ratings];
      before = null;
      changed("");
    }

    function remove(item_id) {
      const place = ratings.findIndex((entry) => entry.item_id === item_id);
      const { title } = ratings[place];
      replace(ratings.filter((entry) => entry.item_id !== item_id), `Removed ${title}.`);
      const next = ratings[Math.min(place, ratings.length - 1)];
      const element = next ? lines.get(next.item_id).element.querySelector("button") : search.box;
      element.focus();
    }

    /* Exchange the whole list, and offer to take that back. */
    function replace(next, text) {
      const undoing = next === before;
      [before, ratings] = [undoing ? null : ratings, next];
      if (undoing) search.box.focus(); // the button goes
      changed(text);
    }

    function changed(text) {
      message.textContent = text;
      keep();
      showRatings();
      showList();
    }

    function keep() {
      if (!rated().length) {
        memory.clear();
        return;
      }
      kept.textContent = memory.save(alsPreferences.write(rated()))
        ? "Your ratings stay in this browser."
        : "This browser keeps nothing for this page. Save your ratings to a file before you leave.";
    }

    function load() {
      try {
        ratings = named(alsPreferences.read(memory.load() ?? "", model.scale));
        keep();
      } catch {
        ratings = []; // nothing is kept, or something that this page did not write
      }
      showRatings();
      showList();
    }

    function showRatings() {
      const wanted = new Set(ratings.map(({ item_id }) => item_id));
      for (const [item_id, { element }] of lines) {
        if (!wanted.has(item_id)) {
          element.remove();
          lines.delete(item_id);
        }
      }
      let there = list.firstElementChild; // counting children anew for each line would take long
      for (const entry of ratings) {
        if (!lines.has(entry.item_id)) lines.set(entry.item_id, line(entry));
        const { element, stars } = lines.get(entry.item_id);
        if (there === element) there = there.nextElementSibling;
        else list.insertBefore(element, there);
        stars.show(entry.rating);
      }
      empty.hidden = ratings.length > 0;
      list.hidden = !ratings.length;
      save.hidden = clear.hidden = kept.hidden = !rated().length;
      undo.hidden = before === null;
    }

    function saveFile() {
      const blob = new Blob([alsPreferences.write(rated())], { type: "application/json" });
      const address = URL.createObjectURL(blob);
      make("a", { href: address, download: "my-ratings.json" }).click();
      setTimeout(() => URL.revokeObjectURL(address), 1000); // the browser reads it in its own time
    }

    async function openFile() {
      const [chosen] = file.files;
      file.value = ""; // so that the same file can be chosen again
      if (!chosen) return;
      try {
        const read = alsPreferences.read(await chosen.text(), model.scale);
        replace(named(read), `Opened ${plural(read.length, "rating")}.`);
      } catch (error) {
        message.textContent = `${chosen.name} was not opened: ${error.message}.`;
      }
    }

    /* Movies that the model knows go by the title it has. */
    const named = (entries) =>
      entries.map((entry) => {
        const row = model.rowOf.get(entry.item_id);
        return row === undefined ? entry : { ...entry, title: model.items.title[row] };
      });

    // --- the list: recommendations, or what is trending while nothing is rated ---

    const title = heading("");
    const summary = make("p", { role: "status", class: "als-summary" });
    const ranking = make("ol", { class: "als-list" });
    const esteem = make("span", { class: "als-muted als-small" });
    const slider = make("input", {
      id: "als-esteem", type: "range", min: 0, max: ESTEEM_STEPS, step: 1, value: 0,
      input: () => adjust({ alpha: 1 - Number(slider.value) / (ESTEEM_STEPS + 1) }),
    });
    const esteemControl = make(
      "div", { class: "als-esteem" },
      make("label", { for: "als-esteem" }, "Acclaimed or personal?"),
      make("div", { class: "als-row" }, "acclaimed", slider, "personal"),
      esteem,
    );
    const genres = make(
      "select",
      {
        id: "als-genre",
        change: () => adjust({ genre: genres.value === "" ? null : Number(genres.value) }),
      },
      make("option", { value: "" }, "all"),
      ...model.genres.map((name, i) => make("option", { value: i }, name)),
    );
    const least = make(
      "select", { id: "als-least", change: () => adjust({ minRatings: Number(least.value) }) },
      ...LEAST_RATINGS.map((n) =>
        make("option", { value: n, selected: n === choice.minRatings }, `${n} or more`),
      ),
    );

    const percent = () => `${Math.round(100 * choice.alpha)} %`;

    function adjust(part) {
      choice = { ...choice, ...part };
      showList();
    }

    /* The row whose stars are being moved in the list. Its movie is rated and will leave the list,
       but not while a key or a pointer still moves them. */
    let held = null;

    function showList() {
      const profile = alsModel.foldIn(model, known());
      const personal = profile.ratings.length > 0;
      const options = { ...choice, n: LIST_LENGTH };
      const best = personal
        ? alsModel.recommend(model, profile, options)
        : alsModel.trending(model, profile, options);
      map.show(profile, best);
      if (held !== null) return;
      slider.setAttribute("aria-valuetext", `what everybody thinks of a movie counts ${percent()}`);
      esteem.textContent = `What everybody thinks of a movie counts ${percent()}.`;
      esteemControl.hidden = !personal;
      title.textContent = personal ? "For you" : "Trending";
      summary.textContent = personal ? inShort(profile, best) : trendingInShort(best);
      const unfolded = new Set(
        [...ranking.querySelectorAll("details[open]")].map(({ dataset }) => Number(dataset.row)),
      );
      ranking.replaceChildren(...best.map(({ row }) => entry(profile, row, unfolded.has(row))));
    }

    /* Show the list anew after stars were moved in it. What had or gets the focus is gone; the same
       control of the same movie gets it or, where that movie has left, of the one in its place. */
    function release(target) {
      const entries = [...ranking.children];
      const place = entries.findIndex((element) => element.contains(target));
      const { row } = target?.closest(".als-entry")?.dataset ?? {};
      const kind = target?.matches("summary") ? "summary" : "input";
      held = null;
      showList();
      if (place < 0) return;
      const same = [...ranking.children].find((element) => element.dataset.row === row);
      const next = same ?? ranking.children[Math.min(place, ranking.children.length - 1)];
      (next?.querySelector(kind) ?? search.box).focus({ preventScroll: true });
    }

    function inShort(profile, best) {
      const from = `From ${plural(profile.ratings.length, "rating")}`;
      if (!best.length) return `${from}: no movie is left. Ask for fewer ratings or another genre.`;
      const { row } = best[0];
      const first = `${model.items.title[row]}, predicted ${shown(profile, row)} stars`;
      return `${from}: ${plural(best.length, "movie")}, the first is ${first}.`;
    }

    function trendingInShort(best) {
      if (!best.length) return "No movie is left. Ask for fewer ratings or another genre.";
      const until = new Date(model.recent.until).toLocaleDateString("en-GB", {
        day: "numeric", month: "long", year: "numeric", timeZone: "UTC",
      });
      return (
        `The most rated of the ${model.recent.days} days up to ${until}. ` +
        "The stars are those of somebody average. Rate a few movies, and both become yours."
      );
    }

    const shown = (profile, row) => alsModel.predicted(model, profile, row).toFixed(1);

    function entry(profile, row, open) {
      const { items } = model;
      const id = `als-listed-${row}`;
      let pointer = false;
      const stars = starSlider(
        {
          "aria-labelledby": id,
          pointerdown: () => (pointer = true),
          keydown: ({ key }) => {
            pointer = false;
            if (key === "Enter" && held !== null) release(stars.slider);
          },
          input: () => {
            held = row;
            stars.show(stars.rating);
            rate(items.id[row], items.title[row], stars.rating);
          },
          change: () => pointer && release(stars.slider),
          blur: ({ relatedTarget }) => held === row && release(relatedTarget),
        },
        model.scale,
      );
      stars.show(null);
      const recent = profile.ratings.length ? "" : `, ${items.n_recent[row]} of them recent`;
      const facts = [
        items.genres[row].map((genre) => model.genres[genre]).join(", "),
        plural(items.n_ratings[row], "rating") + recent,
      ];
      const element = make(
        "li", { class: "als-entry", "data-row": row },
        make(
          "span", { class: "als-value" },
          shown(profile, row),
          make("span", { "aria-hidden": "true" }, "★"),
          unseen(" stars predicted"),
        ),
        make(
          "div", { class: "als-what" },
          make("span", { id, class: "als-title" }, items.title[row]),
          make("span", { class: "als-muted als-small" }, facts.filter(Boolean).join(" · ")),
        ),
        stars.element,
      );
      if (profile.ratings.length) element.append(reasons(profile, row, open));
      return element;
    }

    /* The sum is made when it is unfolded: ten tables that nobody sees take longer than the solve. */
    function reasons(profile, row, open) {
      const parts = alsModel.explain(model, profile, row, choice.alpha);
      const details = make(
        "details", { class: "als-why als-small", "data-row": row, toggle: unfold },
        make("summary", {}, because(parts)),
      );
      if (open) {
        unfold();
        details.open = true;
      }
      return details;

      function unfold() {
        if (details.childElementCount === 1) details.append(sum(parts));
      }
    }

    function because({ ratings }) {
      const helpful = ratings.filter(({ share }) => share >= 0.005).slice(0, REASONS_NAMED);
      if (!helpful.length) return "Not because of your ratings";
      const texts = helpful.map(({ title, rating }) => `${withoutYear(title)} ${inStars(rating)}`);
      return `Because you rated ${listed(texts)}`;
    }

    /* The score as a sum, in a table. Of many ratings those with the largest shares are listed. */
    function sum({ score, mean, userBias, itemBias, ratings }) {
      const bySize = [...ratings].sort((a, b) => Math.abs(b.share) - Math.abs(a.share));
      const named = new Set(bySize.slice(0, SHARES_LISTED));
      const others = ratings.filter((each) => !named.has(each));
      const damped = choice.alpha < 1 ? `, counted ${percent()}` : "";
      const parts = [
        ["The average rating", mean],
        ["You, compared with others", userBias],
        [`The movie, compared with others${damped}`, itemBias],
        ...[...named]
          .sort((a, b) => b.share - a.share)
          .map(({ title, rating, share }) => [`You rated ${title} ${inStars(rating)}`, share]),
      ];
      if (others.length) {
        const together = others.reduce((total, { share }) => total + share, 0);
        parts.push([`Your other ${plural(others.length, "rating")}`, together]);
      }
      const whole = alsModel.roundedParts(parts.map(([, value]) => value));
      const total = whole.reduce((a, b) => a + b, 0);
      const [low, high] = model.scale;
      const outside = choice.alpha === 1 && (score < low || score > high);
      const line = (text, value) =>
        make("tr", {}, make("th", { scope: "row" }, text), make("td", {}, value));
      return make(
        "table", { class: "als-sum" },
        make("tbody", {}, ...parts.map(([text], i) => line(text, decimal(whole[i], i ? "+" : "")))),
        make(
          "tfoot", {},
          line(choice.alpha < 1 ? "Its score in this list" : "Sum", decimal(total)),
          ...(outside ? [line(`Stars end at ${score < low ? low : high}`, "")] : []),
        ),
      );
    }

    // --- the map ---

    const map = alsMap(model);

    host.replaceChildren(
      make(
        "div", {},
        field("als-search", "Find a movie you have seen", search.element),
        small("Then give it stars: with a click, or with the arrow keys, and Enter goes back here."),
      ),
      make(
        "div", { class: "als-mine" },
        heading("Your ratings"),
        empty,
        list,
        make(
          "div", { class: "als-row" },
          save,
          file,
          make("label", { for: file.id, class: "als-button" }, "Open a file"),
          clear,
        ),
        make("p", { class: "als-row als-small" }, message, undo),
        kept,
      ),
      make(
        "div", {},
        title,
        make(
          "div", { class: "als-filters" },
          esteemControl,
          field(genres.id, "Genre", genres),
          field(least.id, "Number of ratings", least),
        ),
        summary,
        ranking,
      ),
      make("div", {}, heading("Where you are"), map.svg, map.text),
    );
    load();
    // Another page with the demo has changed what both keep: in another tab, or after “back”.
    addEventListener("storage", ({ key }) => (key === STORED_AS || key === null) && load());
    addEventListener("pageshow", ({ persisted }) => persisted && load());
  }

  start(document.querySelector(".als-demo"), alsModel.decode(globalThis.alsDemoData));
})();

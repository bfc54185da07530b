/* The page of the demo: elements, events, and the list of ratings that they share. The mathematics
   is in model.js, the file format in preferences.js. */

"use strict";

(() => {
  const MATCHES_SHOWN = 8;
  const LIST_LENGTH = 10;
  const REASONS_NAMED = 2;
  const SHARES_LISTED = 8;
  const STEP = 0.5;
  const FAME_STEPS = 19; // of 0.05 each, from α = 1 down to 0.05
  const LEAST_RATINGS = [10, 20, 50, 100, 200];
  const STORED_AS = "alslib-preferences";

  // --- small helpers ---

  /* Make an element. Attributes that are functions are listeners; null and false are left out. */
  function make(tag, attributes = {}, ...children) {
    const svg = ["svg", "path", "circle", "line", "text"].includes(tag);
    const element = svg
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

  const hidden = (text) => make("span", { class: "als-hidden" }, text);
  const inStars = (value) => (value === 1 ? "1 star" : `${value} stars`);
  const withoutYear = (title) => title.replace(/ \(\d+\)$/, "");
  const grouped = new Intl.NumberFormat("en");
  const plural = (n, thing) => `${grouped.format(n)} ${thing}${n === 1 ? "" : "s"}`;
  const hundredths = (whole, sign) => {
    const digits = (Math.abs(whole) / 100).toFixed(2);
    return (whole < 0 ? "−" : sign) + digits;
  };
  const listed = (texts) =>
    texts.length < 2 ? texts.join("") : `${texts.slice(0, -1).join(", ")} and ${texts.at(-1)}`;
  const clipped = (title, length) =>
    title.length > length ? `${title.slice(0, length - 1).trimEnd()}…` : title;

  /* Five stars to set: a native slider, unseen, over drawn stars, and the number beside them. At
     the far left it means “not rated”. */
  function starSlider(attributes, [low, high]) {
    const slider = make("input", { type: "range", min: 0, max: high, step: STEP, ...attributes });
    const number = make("span", { class: "als-number", "aria-hidden": "true" });
    const element = make("div", { class: "als-stars" }, make("div", { class: "als-five" }, slider), number);
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

  /* A button looks the same everywhere. Its name for screen readers may say more than it shows. */
  const button = (text, act, name = null) =>
    make("button", { type: "button", class: "als-button", click: act, "aria-label": name }, text);

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

    // --- search: a combobox with a list box, as the ARIA Authoring Practices describe it ---

    let matches = [];
    let active = -1;
    const options = make("ul", {
      id: "als-options", role: "listbox", class: "als-options", "aria-label": "Movies", hidden: true,
    });
    const found = make("p", { role: "status", class: "als-hidden" });
    const box = make("input", {
      id: "als-search", type: "text", role: "combobox", class: "als-box", autocomplete: "off",
      spellcheck: "false", placeholder: "for example: alien", "aria-autocomplete": "list",
      "aria-controls": "als-options", "aria-expanded": "false",
      input: lookUp, focus: lookUp, blur: closeOptions, keydown: onSearchKey,
    });

    function lookUp() {
      const { rows, total } = alsModel.search(model, box.value, MATCHES_SHOWN);
      matches = rows;
      options.replaceChildren(...matches.map(option));
      if (total > matches.length) {
        const more = `${grouped.format(total - matches.length)} more: type on`;
        options.append(make("li", { role: "presentation", class: "als-more" }, more));
      }
      const nothing = box.value.trim() && !total;
      if (nothing) {
        const text = "No such movie here. Only movies with enough ratings are.";
        options.append(make("li", { role: "presentation", class: "als-more" }, text));
      }
      found.textContent = box.value.trim() ? plural(total, "movie") : "";
      options.hidden = !options.childElementCount;
      box.setAttribute("aria-expanded", String(matches.length > 0));
      activate(-1);
    }

    function option(row, place) {
      const id = model.items.id[row];
      const mine = rated().find(({ item_id }) => item_id === id);
      const note = mine ? `rated ${mine.rating}` : plural(model.items.n_ratings[row], "rating");
      return make(
        "li",
        {
          id: `als-option-${place}`, role: "option", class: "als-option", "aria-selected": "false",
          // The list would close when the box loses the focus, before the click arrives.
          mousedown: (event) => event.preventDefault(),
          click: () => choose(row),
        },
        make("span", {}, model.items.title[row]),
        make("span", { class: "als-muted" }, note),
      );
    }

    function activate(place) {
      active = place;
      [...options.querySelectorAll("[role=option]")].forEach((element, i) => {
        element.setAttribute("aria-selected", String(i === place));
        if (i === place) element.scrollIntoView({ block: "nearest" });
      });
      if (place < 0) box.removeAttribute("aria-activedescendant");
      else box.setAttribute("aria-activedescendant", `als-option-${place}`);
    }

    function closeOptions() {
      options.hidden = true;
      box.setAttribute("aria-expanded", "false");
      box.removeAttribute("aria-activedescendant");
    }

    function onSearchKey(event) {
      const { key } = event;
      if (key === "ArrowDown" || key === "ArrowUp") {
        event.preventDefault();
        if (options.hidden) lookUp();
        if (!matches.length) return;
        const step = key === "ArrowDown" ? 1 : -1;
        const from = active < 0 && step < 0 ? 0 : active;
        activate((from + step + matches.length) % matches.length);
      } else if (key === "Enter" && !options.hidden && matches.length) {
        event.preventDefault();
        choose(matches[Math.max(active, 0)]); // the first, when none was moved to
      } else if (key === "Escape") {
        if (options.hidden) box.value = "";
        closeOptions();
      }
    }

    /* Put a movie on top of the list, or find it there, and go to its stars. */
    function choose(row) {
      const item_id = model.items.id[row];
      if (!ratings.some((entry) => entry.item_id === item_id)) {
        ratings = [{ item_id, title: model.items.title[row], rating: null }, ...ratings];
      }
      box.value = "";
      lookUp();
      showRatings();
      lines.get(item_id).stars.slider.focus();
    }

    // --- your ratings ---

    const list = make("ul", { class: "als-ratings", "aria-label": "Your ratings" });
    const empty = make(
      "p", { class: "als-muted" },
      "Nothing yet. Find a movie above, or rate one of the list.",
    );
    const kept = make("p", { class: "als-muted als-small" });
    const message = make("span", { role: "status" });
    const undo = button("Undo", () => replace(before, "As before."));
    const file = make("input", {
      type: "file", class: "als-hidden", id: "als-file", accept: ".json,application/json",
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
          keydown: (event) => event.key === "Enter" && box.focus(),
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
      const element = next ? lines.get(next.item_id).element.querySelector("button") : box;
      element.focus();
    }

    /* Exchange the whole list, and offer to take that back. */
    function replace(next, text) {
      const undoing = next === before;
      [before, ratings] = [undoing ? null : ratings, next];
      if (undoing) box.focus(); // the button goes
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
      ratings.forEach((entry, place) => {
        if (!lines.has(entry.item_id)) lines.set(entry.item_id, line(entry));
        const parts = lines.get(entry.item_id);
        const there = list.children[place] ?? null;
        if (there !== parts.element) list.insertBefore(parts.element, there);
        parts.stars.show(entry.rating);
      });
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
    const fame = make("span", { class: "als-muted als-small" });
    const slider = make("input", {
      id: "als-fame", type: "range", min: 0, max: FAME_STEPS, step: 1, value: 0,
      input: () => adjust({ alpha: 1 - Number(slider.value) / (FAME_STEPS + 1) }),
    });
    const fameControl = make(
      "div", { class: "als-fame" },
      make("label", { for: "als-fame" }, "Popular or personal?"),
      make("div", { class: "als-row" }, "popular", slider, "personal"),
      fame,
    );
    const genres = make(
      "select", { id: "als-genre", change: (event) => adjust({ genre: number(event) }) },
      make("option", { value: "" }, "all"),
      ...model.genres.map((name, i) => make("option", { value: i }, name)),
    );
    const least = make(
      "select", { id: "als-least", change: (event) => adjust({ minRatings: number(event) }) },
      ...LEAST_RATINGS.map((n) =>
        make("option", { value: n, selected: n === choice.minRatings }, `${n} or more`),
      ),
    );
    const number = ({ target }) => (target.value === "" ? null : Number(target.value));

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
      showMap(profile, best);
      if (held !== null) return;
      const share = `${Math.round(100 * choice.alpha)} %`;
      slider.setAttribute("aria-valuetext", `the movie’s fame counts ${share}`);
      fame.textContent = `The movie’s fame counts ${share}.`;
      fameControl.hidden = !personal;
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
      (next?.querySelector(kind) ?? box).focus({ preventScroll: true });
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
      return `The most rated of the ${model.recent.days} days up to ${until}. Rate a few movies, and this becomes a list for you.`;
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
          hidden(" stars predicted"),
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
        if (details.childElementCount === 1) details.append(sum(parts, shown(profile, row)));
      }
    }

    function because({ ratings }) {
      const helpful = ratings.filter(({ share }) => share >= 0.005).slice(0, REASONS_NAMED);
      if (!helpful.length) return "Not because of your ratings";
      const texts = helpful.map(({ title, rating }) => `${withoutYear(title)} ${inStars(rating)}`);
      return `Because you rated ${listed(texts)}`;
    }

    /* The score as a sum, in a table. Of many ratings those with the largest shares are listed. */
    function sum({ score, mean, userBias, itemBias, ratings }, prediction) {
      const bySize = [...ratings].sort((a, b) => Math.abs(b.share) - Math.abs(a.share));
      const listedOnes = new Set(bySize.slice(0, SHARES_LISTED));
      const rest = bySize.slice(SHARES_LISTED);
      const damped = choice.alpha < 1 ? `, counted ${Math.round(100 * choice.alpha)} %` : "";
      const lines = [
        ["The average rating", mean],
        ["You, compared with others", userBias],
        [`The movie, compared with others${damped}`, itemBias],
        ...ratings
          .filter((each) => listedOnes.has(each))
          .map(({ title, rating, share }) => [`You rated ${title} ${inStars(rating)}`, share]),
      ];
      if (rest.length) {
        const together = rest.reduce((total, { share }) => total + share, 0);
        lines.push([`Your other ${plural(rest.length, "rating")}`, together]);
      }
      const whole = alsModel.roundedParts(lines.map(([, value]) => value));
      const total = Math.round(100 * score);
      const differs = prediction !== (total / 100).toFixed(1);
      const row = ([text], i) =>
        make(
          "tr", {},
          make("th", { scope: "row" }, text),
          make("td", {}, hundredths(whole[i], i ? "+" : "")),
        );
      return make(
        "table", { class: "als-sum" },
        make("tbody", {}, ...lines.map(row)),
        make(
          "tfoot", {},
          make(
            "tr", {},
            make("th", { scope: "row" }, choice.alpha < 1 ? "Its score in this list" : "Sum"),
            make("td", {}, hundredths(total, "")),
          ),
          ...(differs
            ? [
                make(
                  "tr", {},
                  make("th", { scope: "row" }, "Predicted stars, fame in full, between ½ and 5"),
                  make("td", {}, prediction),
                ),
              ]
            : []),
        ),
      );
    }

    // --- the map ---

    const { svg, caption, show: showMap } = map(model);

    host.append(
      make(
        "div", { class: "als-search" },
        make("label", { for: "als-search" }, "Find a movie you have seen"),
        make("div", { class: "als-anchor" }, box, options),
        found,
        make(
          "p", { class: "als-muted als-small" },
          "Then give it stars: with a click, or with the arrow keys, and Enter goes back here.",
        ),
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
          make("label", { for: "als-file", class: "als-button" }, "Open a file"),
          clear,
        ),
        make("p", { class: "als-row als-small" }, message, undo),
        kept,
      ),
      make(
        "div", { class: "als-theirs" },
        title,
        make(
          "div", { class: "als-filters" },
          fameControl,
          make("div", {}, make("label", { for: "als-genre" }, "Genre"), genres),
          make("div", {}, make("label", { for: "als-least" }, "Number of ratings"), least),
        ),
        summary,
        ranking,
      ),
      make("div", {}, heading("Where you are"), svg, caption),
    );
    load();
    // Another page with the demo has changed what both keep: in another tab, or after “back”.
    addEventListener("storage", ({ key }) => (key === STORED_AS || key === null) && load());
    addEventListener("pageshow", ({ persisted }) => persisted && load());
  }

  // --- the map: movies and you, seen along the two widest directions of the movies ---

  function map(model) {
    const MARGIN = 16;
    /* Few ratings move somebody only a little way out. What counts is the direction, so you are
       drawn three times as far from the middle as the scale of the movies says. */
    const ENLARGED = 3;
    const FAMOUS = 50;
    const LABELS = 14;
    const LABEL_LENGTH = 24;
    const REACH = 14; // pixels between a pointer and the movie that it means

    const places = model.factors.map((vector) => alsModel.place(model, vector));
    const famous = [...places.keys()].filter((row) => model.items.n_ratings[row] >= FAMOUS);
    const byFame = famous.sort((a, b) => model.items.n_ratings[b] - model.items.n_ratings[a]);
    const range = [0, 1].map((axis) => {
      const values = places.map((place) => place[axis]);
      return [Math.min(...values), Math.max(...values)];
    });

    const caption = make("p", { id: "als-map-text", class: "als-muted als-small" });
    const cloud = make("path", { class: "als-cloud" });
    const mine = make("path", { class: "als-cloud als-cloud-rated" });
    const rings = make("path", { class: "als-rings" });
    const way = make("line", { class: "als-way" });
    const you = make("circle", { class: "als-you", r: 7 });
    const label = make("text", { class: "als-you-label", y: -12 }, "you");
    const pointed = make("text", { class: "als-pointed" });
    const svg = make(
      "svg",
      {
        role: "img", class: "als-picture", "aria-labelledby": "als-map-text",
        pointermove: ({ offsetX, offsetY }) => point(offsetX, offsetY),
        pointerleave: () => point(-REACH * 2, -REACH * 2),
      },
      cloud, rings, mine, way, you, label,
    );
    let names = [];
    let [width, height] = [0, 0]; // in pixels; to ask the picture each time would cost a layout
    let toPixels = null;
    let latest = null;

    function resize() {
      [width, height] = [svg.clientWidth, svg.clientHeight];
      if (!width || !height) return;
      svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      const [[left, right], [bottom, top]] = range;
      const scale = Math.min(
        (width - 2 * MARGIN) / (right - left), (height - 2 * MARGIN) / (top - bottom),
      );
      toPixels = ([x, y]) => [
        width / 2 + scale * (x - (left + right) / 2), height / 2 - scale * (y - (bottom + top) / 2),
      ];
      cloud.setAttribute("d", dots([...places.keys()]));
      names.forEach((name) => name.remove());
      names = landmarks().map(({ x, y, text }) => make("text", { x, y: y - 6, class: "als-name" }, text));
      rings.before(...names);
      svg.append(pointed);
      if (latest) draw();
    }

    /* Many dots are one path: a line of no length has round ends. */
    const dots = (rows) =>
      rows.map((row) => `M${toPixels(places[row]).map((v) => v.toFixed(1))}h0`).join("");

    /* Titles of well-known movies, as many as find room, the best known first. */
    function landmarks() {
      const taken = [];
      for (const row of byFame) {
        const [x, y] = toPixels(places[row]);
        const text = clipped(withoutYear(model.items.title[row]), LABEL_LENGTH);
        const half = 3.2 * text.length; // a letter is about 6 pixels wide
        const overlaps = taken.some(
          (other) => Math.abs(other.x - x) < other.half + half + 8 && Math.abs(other.y - y) < 24,
        );
        if (!overlaps && x > half && x + half < width) taken.push({ x, y, text, half });
        if (taken.length === LABELS) break;
      }
      return taken;
    }

    function draw() {
      const { profile, best } = latest;
      const [x0, y0] = toPixels([0, 0]);
      const there = alsModel.place(model, profile.factors).map((value) => ENLARGED * value);
      const bounded = (value, most) => Math.min(Math.max(value, MARGIN), most - MARGIN);
      const [px, py] = toPixels(there);
      const [x, y] = [bounded(px, width), bounded(py, height)];
      mine.setAttribute("d", dots(profile.ratings.map(({ row }) => row)));
      rings.setAttribute(
        "d",
        best.map(({ row }) => {
          const [cx, cy] = toPixels(places[row]);
          return `M${cx - 5} ${cy}a5 5 0 1 0 10 0a5 5 0 1 0 -10 0`;
        }).join(""),
      );
      for (const [name, value] of Object.entries({ x1: x0, y1: y0, x2: x, y2: y })) {
        way.setAttribute(name, value);
      }
      for (const element of [you, label]) element.style.transform = `translate(${x}px, ${y}px)`;
    }

    function point(x, y) {
      if (!toPixels) return;
      let nearest = null;
      let distance = REACH;
      places.forEach((place, row) => {
        const [a, b] = toPixels(place);
        const d = Math.hypot(a - x, b - y);
        if (d < distance) [nearest, distance] = [row, d];
      });
      pointed.textContent = nearest === null ? "" : model.items.title[nearest];
      if (nearest === null) return;
      const [a, b] = toPixels(places[nearest]);
      const right = a > width / 2;
      pointed.setAttribute("text-anchor", right ? "end" : "start");
      pointed.setAttribute("x", a + (right ? -8 : 8));
      pointed.setAttribute("y", b < 24 ? b + 20 : b - 8);
    }

    function describe({ profile, best }) {
      const { factors, items, directions } = model;
      const kind = profile.ratings.length ? "Rings are the movies recommended to you" : "Rings are the trending movies";
      const all =
        `A map of ${plural(factors.length, "movie")}, drawn along the two of ${directions[0].length} ` +
        `directions in which they differ most. ${best.length ? `${kind}. ` : ""}`;
      if (!profile.ratings.length) {
        return `${all}You are in the middle, because you have not rated anything.`;
      }
      const [a, b] = alsModel.place(model, profile.factors);
      const along = (row) => a * places[row][0] + b * places[row][1];
      const order = [...famous].sort((one, other) => along(other) - along(one));
      const titles = (rows) => listed(rows.map((row) => items.title[row]));
      return (
        `${all}Squares are those you rated. You are the large dot, at the end of a line from where you began. ` +
        `Much-rated movies far out on your side: ${titles(order.slice(0, 3))}. ` +
        `On the other side: ${titles(order.slice(-3).reverse())}.`
      );
    }

    new ResizeObserver(resize).observe(svg);
    return {
      svg,
      caption,
      show(profile, best) {
        latest = { profile, best };
        caption.textContent = describe(latest);
        if (toPixels) draw();
      },
    };
  }

  start(document.querySelector(".als-demo"), alsModel.decode(globalThis.alsDemoData));
})();

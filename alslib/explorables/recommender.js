/* Lesson 7: the recommender. The list of ratings, what is shown of it, and what changes it.

   Data: what alslib.export_json writes. */

import { arrange } from "./recommender/arrange.js";
import { movieList, shownStars } from "./recommender/listed.js";
import { movieMap } from "./recommender/map.js";
import { decode, foldIn, recommend, trending } from "./recommender/model.js";
import { readOwn } from "./recommender/own_ratings.js";
import { memory, read, write } from "./recommender/preferences.js";
import { questions } from "./recommender/questions.js";
import { percent } from "./recommender/reasons.js";
import { searchBox } from "./recommender/search.js";
import { starSlider } from "./recommender/stars.js";
import { unclear } from "./recommender/unclear.js";
import { button, make, plural, slider, voice } from "./shared.js";

const LIST_LENGTH = 10;
const ALPHAS = Array.from({ length: 20 }, (_, i) => (20 - i) / 20); // from 1 down to 0.05
const CAUTIONS = [2, 1.5, 1, 0.5, 0, -0.5, -1]; // standard deviations
const LEAST_RATINGS = [10, 20, 50, 100, 200];
const STORED_AS = "alslib-preferences";

const inDoubt = (caution) => {
  if (!caution) return "Stars count as predicted.";
  const said = `${plural(Math.abs(caution), "standard deviation")} of doubt`;
  return caution > 0 ? `Less ${said}.` : `And ${said} on top.`;
};
const small = (...children) => make("p", { class: "als-muted als-small" }, ...children);
const field = (text, control) => make("label", { class: "als-field" }, text, control);

export function mount(element, data) {
  const model = decode(data);
  const kept = memory(STORED_AS);
  const above = element.closest("section")?.querySelector("h1, h2, h3, h4")?.tagName ?? "H1";
  const heading = (text) => make(`h${Number(above[1]) + 1}`, { class: "als-heading" }, text);

  /* All that changes. A rating of null is a movie that was chosen and has no stars yet. */
  let ratings = [];
  let before = null; // the ratings that “Undo” brings back

  const rated = () => ratings.filter(({ rating }) => rating !== null);
  const known = () =>
    rated().flatMap(({ item_id, title, rating }) =>
      model.rowOf.has(item_id) ? [{ row: model.rowOf.get(item_id), title, rating }] : [],
    );

  /* This person in a model. It hangs on the ratings alone, so a slider has nothing to solve. */
  const profiles = new Map();
  function profileIn(of) {
    if (!profiles.has(of)) profiles.set(of, foldIn(of, known()));
    return profiles.get(of);
  }

  // --- search ---

  const search = searchBox(
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

  // --- the interview ---

  const interview = questions(model, {
    profile: () => profileIn(model),
    rate: rateRow,
    remove: (row) => remove(model.items.id[row]),
  });

  // --- your ratings ---

  const list = make("ul", { class: "als-ratings", "aria-label": "Your ratings" });
  const empty = make(
    "p", { class: "als-muted" },
    "Nothing yet. Find a movie above, or rate one of the list.",
  );
  const told = small();
  const message = make("span", { role: "status" });
  const undo = button("Undo", () => {
    opened.clear();
    replace(before, "As before.");
  });
  const file = make("input", {
    type: "file", class: "als-unseen", id: "als-file", accept: ".json,.csv,.tsv,.txt",
    change: () => {
      openFile(file.files[0]);
      file.value = ""; // so that the same file can be chosen again
    },
  });
  const save = button("Save to a file", saveFile);
  const opened = unclear(model, (chosen) => {
    const others = ratings.filter((one) => !chosen.some(({ item_id }) => item_id === one.item_id));
    const each = new Map(chosen.map((one) => [one.item_id, one])); // two lines may mean one movie
    replace([...each.values(), ...others], `Rated ${plural(each.size, "movie")}.`);
    undo.focus(); // the button goes
  });
  const clear = button("Remove all", () => {
    opened.clear();
    interview.forget();
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
    const away = button("×", () => remove(item_id));
    away.setAttribute("aria-label", `Remove ${title}`);
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

  function rateRow(row, rating) {
    rate(model.items.id[row], model.items.title[row], rating);
  }

  function remove(item_id) {
    const place = ratings.findIndex((entry) => entry.item_id === item_id);
    if (place < 0) return;
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
    showAll();
  }

  function showAll() {
    profiles.clear();
    showRatings();
    showList();
  }

  function keep() {
    if (!rated().length) {
      kept.clear();
      return;
    }
    told.textContent = kept.save(write(rated()))
      ? "Your ratings stay in this browser."
      : "This browser keeps nothing for this page. Save your ratings to a file before you leave.";
  }

  function load() {
    try {
      ratings = named(read(kept.load() ?? "", model.scale));
      keep();
    } catch {
      ratings = []; // nothing is kept, or something that this page did not write
    }
    showAll();
  }

  function showRatings() {
    const older = new Map(lines);
    lines.clear();
    for (const entry of ratings) {
      const there = older.get(entry.item_id) ?? line(entry);
      lines.set(entry.item_id, there);
      there.stars.show(entry.rating);
    }
    arrange(list, [...lines.values()].map(({ element }) => element));
    empty.hidden = ratings.length > 0;
    list.hidden = !ratings.length;
    save.hidden = clear.hidden = told.hidden = !rated().length;
    undo.hidden = before === null;
  }

  let saved = ""; // the address of the last file; the browser reads it in its own time
  function saveFile() {
    URL.revokeObjectURL(saved);
    saved = URL.createObjectURL(new Blob([write(rated())], { type: "application/json" }));
    make("a", { href: saved, download: "my-ratings.json" }).click();
  }

  async function openFile(chosen) {
    if (!chosen) return;
    try {
      const own = readOwn(await chosen.arrayBuffer(), model);
      const [toChoose, unknown] = [own.doubtful.length, own.unknown.length];
      const rest = [toChoose && `${toChoose} to choose`, unknown && `${unknown} not known here`];
      const said = `Opened ${plural(own.ratings.length, "rating")}`;
      replace(named(own.ratings), `${[said, ...rest.filter(Boolean)].join(", ")}.`);
      opened.show(own);
      interview.forget();
    } catch (error) {
      message.textContent = `${chosen.name} was not opened: ${error.message}.`;
    }
  }

  /* A file may be dropped on the ratings. Any other thing that is dragged is no matter of ours. */
  function dropped(event) {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    event.currentTarget.classList.toggle("als-over", event.type === "dragover");
    if (event.type === "drop") openFile(event.dataTransfer.files[0]);
  }

  /* Movies that the model knows go by the title it has. */
  const named = (entries) =>
    entries.map((entry) => {
      const row = model.rowOf.get(entry.item_id);
      return row === undefined ? entry : { ...entry, title: model.items.title[row] };
    });

  // --- the list: recommendations, or what is trending while nothing is rated ---

  const title = heading("");
  const summary = voice();
  const recommended = movieList(model, {
    rate: rateRow,
    again: showList,
    exit: search.box,
  });
  const alpha = slider(
    "Acclaimed or personal?", ALPHAS, 1,
    (value) => `What everybody thinks of a movie counts ${percent(value)}.`, showList,
  );
  const caution = slider("Cautious or daring?", CAUTIONS, 0, inDoubt, showList);
  const between = (control, from, to) =>
    make(
      "div", { class: "als-between" }, control.element,
      make(
        "div", { class: "als-ends als-small", "aria-hidden": "true" },
        make("span", {}, from), make("span", {}, to),
      ),
    );
  const esteem = between(alpha, "acclaimed", "personal");
  const daring = between(caution, "cautious", "daring");
  const way = make(
    "select", { change: showList },
    ...(model.choice
      ? [make("option", { value: "choice" }, "what you would pick and like")]
      : []),
    make("option", { value: "stars" }, "what you would rate highest"),
  );
  const ways = field("First comes ", way);
  const genres = make(
    "select", { change: showList },
    make("option", { value: "" }, "all"),
    ...model.genres.map((name, i) => make("option", { value: i }, name)),
  );
  const least = make(
    "select", { change: showList },
    ...LEAST_RATINGS.map((n, i) => make("option", { value: n, selected: i === 1 }, `${n} or more`)),
  );

  function showList() {
    const profile = profileIn(model);
    const personal = profile.ratings.length > 0;
    const byChoice = way.value === "choice";
    const options = {
      n: LIST_LENGTH,
      alpha: alpha.value,
      caution: byChoice || !model.interval ? 0 : caution.value,
      minRatings: Number(least.value),
      genre: genres.value === "" ? null : Number(genres.value),
    };
    const of = byChoice ? model.choice : model;
    const ranking = { of, profile: profileIn(of), options };
    const best = personal
      ? recommend(of, ranking.profile, options)
      : trending(model, profile, options);
    map.show(profile, best);
    if (recommended.held) return;
    esteem.hidden = !personal;
    ways.hidden = !personal || !model.choice;
    daring.hidden = !personal || byChoice || !model.interval;
    title.textContent = personal ? "For you" : "Trending";
    summary.say(personal ? inShort(profile, best) : trendingInShort(best));
    recommended.show(profile, personal ? ranking : null, best.map(({ row }) => row));
  }

  function inShort(profile, best) {
    const from = `From ${plural(profile.ratings.length, "rating")}`;
    if (!best.length) return `${from}: no movie is left. Ask for fewer ratings or another genre.`;
    const { row } = best[0];
    const first = `${model.items.title[row]}, predicted ${shownStars(model, profile, row)} stars`;
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

  // --- the map ---

  const map = movieMap(model);

  element.append(
    make(
      "div", {},
      make("label", { class: "als-field", for: search.box.id }, "Find a movie you have seen"),
      search.element,
      small("Then give it stars: with a click, or with the arrow keys, and Enter goes back here."),
      ...(model.choice ? interview.elements : []),
    ),
    make(
      "div", { class: "als-mine", dragover: dropped, dragleave: dropped, drop: dropped },
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
      opened.element,
      told,
      small(
        "A file that was saved here, or one from Letterboxd, IMDb or MovieLens, or a list of titles " +
        "and ratings (.csv). It can be dropped here, too. Nothing leaves your browser.",
      ),
    ),
    make(
      "div", {},
      title,
      make(
        "div", { class: "als-filters" },
        ways,
        esteem,
        daring,
        field("Genre ", genres),
        field("Number of ratings ", least),
      ),
      summary.element,
      recommended.element,
    ),
    make("div", {}, heading("Where you are"), map.element, map.text),
  );
  load();
  // Another page with a recommender has changed what both keep: in another tab, or after “back”.
  addEventListener("storage", ({ key }) => (key === STORED_AS || key === null) && load());
  addEventListener("pageshow", ({ persisted }) => persisted && load());
}

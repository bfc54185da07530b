/* Lesson 7: the recommender. The list of ratings, what is shown of it, and what changes it.

   Data: what alslib.export_json writes. */

import { nextQuestion } from "./recommender/interview.js";
import { movieMap } from "./recommender/map.js";
import {
  decode, doubt, explain, foldIn, interval, predicted, recommend, roundedParts, trending,
  withoutYear,
} from "./recommender/model.js";
import { readOwn } from "./recommender/own_ratings.js";
import { memory, read, write } from "./recommender/preferences.js";
import { searchBox } from "./recommender/search.js";
import { inStars, starSlider } from "./recommender/stars.js";
import { unclear } from "./recommender/unclear.js";
import { button, fixed, make, plural, slider, voice } from "./shared.js";

const LIST_LENGTH = 10;
const REASONS_NAMED = 2;
const SHARES_LISTED = 8;
const ALPHAS = Array.from({ length: 20 }, (_, i) => (20 - i) / 20); // from 1 down to 0.05
const CAUTIONS = [2, 1.5, 1, 0.5, 0, -0.5, -1]; // standard deviations
const LEAST_RATINGS = [10, 20, 50, 100, 200];
const STORED_AS = "alslib-preferences";

const listed = new Intl.ListFormat("en-GB");
const percent = (alpha) => `${Math.round(100 * alpha)}\u00a0%`;
const inDoubt = (caution) => {
  if (!caution) return "Stars count as predicted.";
  const said = `${plural(Math.abs(caution), "standard deviation")} of doubt`;
  return caution > 0 ? `Less ${said}.` : `And ${said} on top.`;
};
const unseen = (text) => make("span", { class: "als-unseen" }, text);
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

  let strange = []; // the rows of movies that were asked about and have not been seen
  let asked = null; // the row of the present question
  const question = make("p", { id: "als-question" });
  const answer = starSlider(
    {
      "aria-labelledby": question.id,
      input: () => {
        answer.show(answer.rating);
        rate(model.items.id[asked], model.items.title[asked], answer.rating);
      },
      keydown: ({ key }) => key === "Enter" && answer.rating !== null && ask(),
    },
    model.scale,
  );
  const further = button("Next", ask);
  const notSeen = button("Haven’t seen it", () => {
    strange = [...strange, asked];
    remove(model.items.id[asked]);
    ask();
  });
  const enough = button("Enough", () => {
    [interview.hidden, begin.hidden] = [true, false];
    begin.focus();
  });
  const begin = button("Ask me", ask);
  const interview = make(
    "div", { class: "als-interview", hidden: true },
    question, answer.element, make("div", { class: "als-row" }, further, notSeen, enough),
  );

  /* Ask the next question. */
  function ask() {
    asked = nextQuestion(model, foldIn(model, known()), strange);
    const over = asked === null;
    question.textContent = over
      ? "There is no other movie to ask about."
      : `How many stars for ${model.items.title[asked]}?`;
    answer.show(null);
    answer.element.hidden = further.hidden = notSeen.hidden = over;
    [interview.hidden, begin.hidden] = [false, true];
    (over ? enough : answer.slider).focus();
  }

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
    strange = [];
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
      strange = [];
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
  const ranking = make("ol", { class: "als-list" });
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

  /* The row whose stars are being moved in the list. Its movie is rated and will leave the list,
     but not while a key or a pointer still moves them. */
  let held = null;

  /* By what the list is ranked: a model, this person's profile in it, and the options. */
  let ranker = null;

  function showList() {
    const mine = known();
    const profile = foldIn(model, mine);
    const personal = profile.ratings.length > 0;
    const byChoice = way.value === "choice";
    const options = {
      n: LIST_LENGTH,
      alpha: alpha.value,
      caution: byChoice || !model.interval ? 0 : caution.value,
      minRatings: Number(least.value),
      genre: genres.value === "" ? null : Number(genres.value),
    };
    ranker = byChoice
      ? { of: model.choice, profile: foldIn(model.choice, mine), options }
      : { of: model, profile, options };
    const best = personal
      ? recommend(ranker.of, ranker.profile, options)
      : trending(model, profile, options);
    map.show(profile, best);
    if (held !== null) return;
    esteem.hidden = !personal;
    ways.hidden = !personal || !model.choice;
    daring.hidden = !personal || byChoice || !model.interval;
    title.textContent = personal ? "For you" : "Trending";
    summary.say(personal ? inShort(profile, best) : trendingInShort(best));
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

  const shown = (profile, row) => predicted(model, profile, row).toFixed(1);

  function within(profile, row) {
    const [low, high] = interval(model, profile, row).map((end) => end.toFixed(1));
    return `${10 * model.interval.share} in 10 such ratings lie from ${low} to ${high}`;
  }

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
      model.interval && within(profile, row),
    ];
    const line = make(
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
    if (profile.ratings.length) line.append(reasons(row, open));
    return line;
  }

  /* The sum is made when it is unfolded: ten tables that nobody sees take longer than the solve. */
  function reasons(row, open) {
    const { of, profile, options } = ranker;
    const parts = explain(of, profile, row, options.alpha);
    parts.price = options.caution && -options.caution * doubt(of, profile, row);
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
    return `Because you rated ${listed.format(texts)}`;
  }

  /* The score as a sum, in a table. Of many ratings those with the largest shares are listed. */
  function sum({ score, mean, userBias, itemBias, ratings, price }) {
    const bySize = [...ratings].sort((a, b) => Math.abs(b.share) - Math.abs(a.share));
    const named = new Set(bySize.slice(0, SHARES_LISTED));
    const others = ratings.filter((each) => !named.has(each));
    const ofStars = ranker.of === model;
    const damped = alpha.value < 1 ? `, counted ${percent(alpha.value)}` : "";
    const beforeTaste = ofStars
      ? [
          ["The average rating", mean],
          ["You, compared with others", userBias],
          [`The movie, compared with others${damped}`, itemBias],
        ]
      : [[`The share of all people who like it${damped}`, itemBias]];
    const parts = [
      ...beforeTaste,
      ...[...named]
        .sort((a, b) => b.share - a.share)
        .map(({ title, rating, share }) => [`You rated ${title} ${inStars(rating)}`, share]),
    ];
    if (others.length) {
      const together = others.reduce((total, { share }) => total + share, 0);
      parts.push([`Your other ${plural(others.length, "rating")}`, together]);
    }
    if (price) parts.push(["What is unknown of you and of the movie", price]);
    const whole = roundedParts(parts.map(([, value]) => value));
    const total = whole.reduce((a, b) => a + b, 0);
    const [low, high] = model.scale;
    const plain = ofStars && alpha.value === 1 && !price;
    const outside = plain && (score < low || score > high);
    const hundredths = (n, plus = "") => (n < 0 ? "" : plus) + fixed(n / 100);
    const line = (text, said) =>
      make("tr", {}, make("th", { scope: "row" }, text), make("td", { class: "als-number" }, said));
    return make(
      "table", { class: "als-table als-sum" },
      make(
        "tbody", {},
        ...parts.map(([text], i) => line(text, hundredths(whole[i], i ? "+" : ""))),
      ),
      make(
        "tfoot", {},
        line(plain ? "Sum" : "Its score in this list", hundredths(total)),
        ...(outside ? [line(`Stars end at ${score < low ? low : high}`, "")] : []),
      ),
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
      ...(model.choice ? [begin, interview] : []),
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
      ranking,
    ),
    make("div", {}, heading("Where you are"), map.element, map.text),
  );
  load();
  // Another page with a recommender has changed what both keep: in another tab, or after “back”.
  addEventListener("storage", ({ key }) => (key === STORED_AS || key === null) && load());
  addEventListener("pageshow", ({ persisted }) => persisted && load());
}

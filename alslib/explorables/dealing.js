/* Lesson 1: a few ratings are dealt into rows, twice at once: by user and by movie.

   Data: users, movies (names), ratings [user's index, movie's index, stars] in the order in which
   they arrived, scale [lowest, highest]. A rating can be hidden from one view, or from both. */

import { button, halfStars, make, plural, slider, voice } from "./shared.js";

/* How far each of the three passes has come after so many steps: count, add up, deal. */
export function passes(step, nRatings, nRows) {
  const within = (value, most) => Math.min(Math.max(value, 0), most);
  return {
    counted: within(step, nRatings),
    added: within(step - nRatings, nRows),
    dealt: within(step - nRatings - nRows, nRatings),
  };
}

/* A counting sort, stopped midway: what of the three passes is done. Ratings that `keep` does not
   mark are passed over. `from` tells which of the ratings lies in each slot; what is not known yet
   is null. */
export function dealt(rows, columns, stars, nRows, keep, { counted, added, dealt }) {
  const counts = Array(nRows).fill(0);
  for (let i = 0; i < counted; i += 1) if (keep[i]) counts[rows[i]] += 1;
  const indptr = Array(nRows + 1).fill(null);
  if (added) indptr[0] = 0;
  for (let row = 0; row < Math.min(added, nRows); row += 1) {
    indptr[row + 1] = indptr[row] + counts[row];
  }
  const cursor = indptr.slice(0, nRows);
  const nSlots = keep.filter(Boolean).length;
  const [indices, data, from] = [0, 1, 2].map(() => Array(nSlots).fill(null));
  for (let i = 0; i < dealt; i += 1) {
    if (!keep[i]) continue;
    const slot = cursor[rows[i]];
    cursor[rows[i]] += 1;
    indices[slot] = columns[i];
    data[slot] = stars[i];
    from[slot] = i;
  }
  return { counts, indptr, cursor, indices, data, from };
}

const TINTS = ["#56b4e9", "#e69f00", "#009e73", "#cc79a7"]; // of the users, as in the figures
const said = (stars) => `${stars} ${stars === 1 ? "star" : "stars"}`;
const heading = (scope, text) => make("th", { scope }, text);
const slot = (number, content) =>
  make("div", { class: "als-slot" }, make("span", { class: "als-tick" }, number), content);

/* Only what differs is touched, so that a step lays out little. */
function write(element, text) {
  if (element.textContent !== `${text}`) element.textContent = text;
}
function change(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (element.getAttribute(name) !== value) element.setAttribute(name, value);
  }
}

export function mount(element, data) {
  const { users, movies } = data;
  const ratings = data.ratings.map(([m, n, r]) => ({ cell: [m, n], stars: r, kept: [true, true] }));
  const nRows = Math.max(users.length, movies.length);
  const nSteps = () => 2 * ratings.length + nRows;
  let lit = ratings[0].cell; // a cell of the table, with a rating or without
  let step;

  const same = (cell, [m, n]) => cell[0] === m && cell[1] === n;
  const at = (wanted) => ratings.findIndex(({ cell }) => same(cell, wanted));
  const named = ([m, n]) => `${users[m]}, ${movies[n]}`;

  /* What can be clicked: a rating or a cell without one; null where a slot is still free. */
  function chip(nLines) {
    let cell;
    const lines = Array.from({ length: nLines }, () => make("span"));
    const light = () => {
      lit = cell;
      show();
    };
    const button = make("button", { type: "button", click: light }, ...lines);
    function dress(where, wanted, texts) {
      cell = wanted;
      const rating = cell && ratings[at(cell)];
      const kind = !rating ? "als-empty" : rating.kept.includes(false) ? "als-hidden" : "";
      const what = rating ? said(rating.stars) : "no rating";
      change(button, {
        class: `als-chip ${kind}`,
        style: cell ? `--als-tint: ${TINTS[cell[0] % TINTS.length]}` : "",
        "aria-label": where + (cell ? `${named(cell)}: ${what}` : "free"),
        "aria-pressed": String(cell !== null && same(cell, lit)),
      });
      button.disabled = !cell;
      lines.forEach((line, i) => write(line, texts[i]));
    }
    return { button, dress };
  }

  /* A row of numbered slots with a chip in each, as many as asked for. */
  function strip(counted, ...captions) {
    const spans = captions.map((text) => make("span", {}, text));
    const first = make("div", { class: "als-chip als-captions" }, ...spans);
    const place = make("div", { class: "als-slots" }, slot(counted, first));
    const slots = [];
    function ofLength(n) {
      while (slots.length > n) slots.pop().box.remove();
      while (slots.length < n) {
        const { button: content, dress } = chip(captions.length);
        slots.push({ box: slot(slots.length, content), dress });
        place.append(slots.at(-1).box);
      }
      return slots;
    }
    return { place, ofLength };
  }

  /* One of the views: a table of its counts and pointers, and its slots. */
  function view(name, own, owners, columns) {
    const numbers = [...owners.map((owner, i) => `${i} ${owner}`), "end"].map((head) => {
      const cells = [0, 1, 2].map(() => make("td"));
      return { cells, element: make("tr", {}, heading("row", head), ...cells) };
    });
    const table = make(
      "table", { class: "als-table als-narrow" },
      make("caption", {}, `The ${name}`),
      make(
        "tr", {}, make("td"), ...["count", "indptr", "cursor"].map((head) => heading("col", head)),
      ),
      ...numbers.map((row) => row.element),
    );
    const { place, ofLength } = strip("slot", columns, "stars");
    const hidden = make("input", {
      type: "checkbox",
      change: () => {
        ratings[at(lit)].kept[own] = !hidden.checked;
        toTheEnd();
      },
    });
    function draw({ counts, indptr, cursor, indices, data: stars, from }) {
      const [start, end] = indptr.slice(lit[own], lit[own] + 2); // of the stretch that is lit
      numbers.forEach(({ cells }, i) => {
        [counts, indptr, cursor].forEach((column, k) => {
          write(cells[k], i < column.length ? column[i] ?? "·" : "");
          const ends = column === indptr && end !== null && [0, 1].includes(i - lit[own]);
          change(cells[k], { class: ends ? "als-number als-lit" : "als-number" });
        });
      });
      ofLength(from.length).forEach(({ box, dress }, s) => {
        const filled = from[s] !== null;
        const texts = filled ? [indices[s], stars[s]] : ["·", "·"];
        dress(`${name}, slot ${s}: `, filled ? ratings[from[s]].cell : null, texts);
        box.classList.toggle("als-begins", s > 0 && indptr.includes(s));
        box.classList.toggle("als-stretch", end !== null && start <= s && s < end);
      });
    }
    return { name, own, owners, hidden, draw, element: make("div", {}, table, place) };
  }

  const views = [
    view("users’ view", 0, users, "movie"), view("movies’ view", 1, movies, "user"),
  ];
  const arrived = strip("i", "user", "movie", "stars");
  const cells = users.map((_, m) => movies.map((_, n) => ({ cell: [m, n], ...chip(1) })));
  const table = make(
    "table", { class: "als-table als-narrow" },
    make("tr", {}, make("td"), ...movies.map((movie, n) => heading("col", `${n} ${movie}`))),
    ...cells.map((row, m) =>
      make(
        "tr", {}, heading("row", `${m}\u00a0${users[m]}`),
        ...row.map(({ button: content }) => make("td", {}, content)),
      )),
  );
  const choices = halfStars(data.scale);
  const title = make("legend", {});
  const stars = make(
    "select", { change: () => rate(choices[stars.selectedIndex - 1]) },
    ...["–", ...choices].map((text) => make("option", {}, text)),
  );
  const stepping = make("div");
  const told = voice();

  /* Give the cell that is lit a rating, or take it away. */
  function rate(r) {
    const i = at(lit);
    if (r === undefined) ratings.splice(i, 1);
    else if (i >= 0) ratings[i].stars = r;
    else ratings.push({ cell: lit, stars: r, kept: [true, true] });
    toTheEnd();
  }

  function toTheEnd() {
    const stops = Array.from({ length: nSteps() + 1 }, (_, i) => i);
    step = slider("Step", stops, nSteps(), (value) => `${value} of ${nSteps()}`, moved);
    stepping.replaceChildren(step.element);
    show();
  }

  function go(to) {
    step.value = to;
    moved();
  }

  /* The rating in hand lights up. */
  function moved() {
    const done = passes(step.value, ratings.length, nRows);
    const hand = done.dealt || (done.added ? 0 : done.counted);
    if (hand) lit = ratings[hand - 1].cell;
    show();
  }

  function show() {
    arrived.ofLength(ratings.length).forEach(({ dress }, i) => {
      const { cell: [m, n], stars: r } = ratings[i];
      dress(`Arrived as ${i}: `, [m, n], [users[m], n, r]);
    });
    for (const { cell, dress } of cells.flat()) dress("", cell, [ratings[at(cell)]?.stars ?? "–"]);
    const rating = ratings[at(lit)];
    write(title, named(lit));
    stars.selectedIndex = rating ? 1 + choices.indexOf(rating.stars) : 0;
    stars.options[0].disabled = ratings.length === 1;
    const done = passes(step.value, ratings.length, nRows);
    const arrays = views.map(({ own, owners, hidden, draw }) => {
      const [rows, columns] = [own, 1 - own].map((k) => ratings.map(({ cell }) => cell[k]));
      const keep = ratings.map(({ kept }) => kept[own]);
      const values = ratings.map(({ stars: r }) => r);
      const known = dealt(rows, columns, values, owners.length, keep, done);
      draw(known);
      hidden.disabled = !rating;
      hidden.checked = Boolean(rating) && !rating.kept[own];
      return known;
    });
    told.say(inWords(done, rating, arrays));
  }

  function inWords({ counted, added, dealt: nDealt }, rating, arrays) {
    if (!counted) return `${plural(ratings.length, "rating")}, in the order of arrival.`;
    if (added && !nDealt) {
      const begin = views
        .filter(({ owners }) => added < owners.length)
        .map(({ owners, own }) => `${owners[added]} from slot ${arrays[own].indptr[added]}`);
      return `Add up: ${begin.join(", ") || "the last sums say where the slots end"}.`;
    }
    if (!rating) return `${named(lit)}: no rating, so no slot in either view.`;
    if (!added) {
      const counts = views.map(({ owners, own }) =>
        `${owners[lit[own]]} ${arrays[own].counts[lit[own]]}`);
      return `Count: ${named(lit)}. So far: ${counts.join(", ")}.`;
    }
    const slots = views.map(({ name, own }) => {
      const place = arrays[own].from.indexOf(ratings.indexOf(rating));
      return `${place < 0 ? "no slot" : `slot ${place}`} of the ${name}`;
    });
    if (nDealt < ratings.length || rating.kept.every(Boolean)) {
      return `${named(lit)}, ${said(rating.stars)}: ${slots.join(" and ")}.`;
    }
    return rating.kept.includes(true)
      ? `${named(lit)} is hidden, and yet it has ${slots[rating.kept.indexOf(true)]}: a leak.`
      : `${named(lit)} is hidden from both views: they hold the same ratings.`;
  }

  element.append(
    stepping,
    make(
      "div", { class: "als-row" },
      button("From the start", () => go(0)),
      button("Next", () => go(Math.min(step.value + 1, nSteps()))),
    ),
    told.element,
    make(
      "div", { class: "als-sides" },
      make("div", {}, make("p", {}, make("strong", {}, "As they arrived")), arrived.place),
      make("div", {}, table),
    ),
    make(
      "fieldset", { class: "als-row" }, title,
      make("label", { class: "als-check" }, make("span", {}, "stars"), stars),
      ...views.map(({ name, hidden }) =>
        make("label", { class: "als-check" }, hidden, make("span", {}, `hidden from the ${name}`))),
    ),
    make("div", { class: "als-sides" }, ...views.map((one) => one.element)),
  );
  toTheEnd();
}

/* Which movie does a file mean, whose titles are not written as ours? The rules, and what they are
   chosen by, stand in alslib/recommending/title_match.py. */

import { words } from "./model.js";

const YEARS_APART = 1;
const SHARED = 0.7;
const FEWEST_LETTERS = 4;
const MOST_NEAR = 5;

/* A title without the year in brackets behind it, and the year, or null. */
export function splitYear(title) {
  const found = /\s*\(([0-9]{4})\)$/.exec(title);
  return found ? [title.slice(0, found.index), Number(found[1])] : [title, null];
}

/* Where the bracket begins with which a title ends, or 0. */
function lastBracket(title) {
  let depth = 0;
  for (let place = title.length - 1; place > 0; place--) {
    depth += (title[place] === ")") - (title[place] === "(");
    if (!depth) return title[place] === "(" ? place : 0;
  }
  return 0;
}

/* The words of a title between spaces, its article first. */
function spaced(title) {
  const moved = title.trim().replace(/^(.+), (\p{L}{1,3}['’]?)$/su, "$2 $1");
  return ` ${words(moved.replaceAll("&", " and ")).join(" ")} `;
}

/* The words of a title as it is, of what stands before its brackets, and in them. */
function names(title) {
  const [befores, brackets] = [[title], []];
  for (let cut = lastBracket(title); cut; cut = lastBracket(title)) {
    brackets.push(title.slice(cut + 1, -1).replace(/^a\.?k\.?a\.? /i, ""));
    title = title.slice(0, cut).trimEnd();
    befores.push(title);
  }
  return [...new Set([...befores, ...brackets].map(spaced))];
}

const letters = (name) => name.replaceAll(" ", "");

function pairs(name) {
  const all = [" ", ...letters(name), " "];
  return new Set(all.slice(1).map((letter, i) => all[i] + letter));
}

function shared(a, b) {
  let common = 0;
  for (const pair of a) common += b.has(pair);
  return (2 * common) / (a.size + b.size);
}

function within(one, other) {
  const [shorter, longer] = one.length < other.length ? [one, other] : [other, one];
  return longer.includes(shorter) && letters(shorter).length >= FEWEST_LETTERS;
}

const apart = (one, other) => (one === null || other === null ? 0 : Math.abs(one - other));

/* A function of the titles of a movie, and its year and its id where they are known. It returns the
   ids of the movies that may be meant, and whether it is certain that the one is. */
export function titleMatcher({ id, title }) {
  const rowOf = new Map(id.map((one, row) => [String(one), row]));
  const split = title.map(splitYear);
  const years = split.map(([, year]) => year);
  const all = split.flatMap(([bare], row) =>
    names(bare).map((name) => ({ row, name, pairs: pairs(name) })),
  );
  const rowsOf = new Map();
  for (const { row, name } of all) {
    const key = letters(name);
    rowsOf.set(key, [...(rowsOf.get(key) ?? []), row]);
  }

  function near(wanted, year) {
    const among = all.filter(({ row }) => apart(years[row], year) <= YEARS_APART);
    const nearest = new Map();
    for (const name of wanted) {
      const own = pairs(name);
      for (const other of among) {
        const share = shared(own, other.pairs);
        if (share >= SHARED || within(name, other.name)) {
          nearest.set(other.row, Math.max(share, nearest.get(other.row) ?? 0));
        }
      }
    }
    const rows = [...nearest.keys()];
    return rows.sort((a, b) => nearest.get(b) - nearest.get(a) || a - b).slice(0, MOST_NEAR);
  }

  return (titles, year = null, item = "") => {
    const wanted = [...new Set(titles.flatMap(names))];
    const alike = new Set(wanted.flatMap((name) => rowsOf.get(letters(name)) ?? []));
    const same = [...alike].filter((row) => !apart(years[row], year)).sort((a, b) => a - b);
    const found = (rows, certain) => ({ items: rows.map((row) => id[row]), certain });
    const candidates = () => (same.length ? same : near(wanted, year));
    const given = rowOf.get(item);
    if (given === undefined) return found(candidates(), same.length === 1);
    if (!wanted.length || (alike.has(given) && apart(years[given], year) <= YEARS_APART)) {
      return found([given], true);
    }
    return found([...new Set([given, ...candidates()])], false);
  };
}

/* The ratings that somebody brings along, and which movies here they are about, as
   alslib/recommending/own_ratings.py says it. */

import { read } from "./preferences.js";
import { readTable, STARS } from "./rating_files.js";
import { titleMatcher } from "./title_match.js";

function decoded(bytes) {
  if (new TextDecoder("latin1").decode(bytes.slice(0, 4)) === "PK\x03\x04") {
    throw new Error("this is a ZIP archive: unpack it, and open the file ratings.csv");
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    const [before] = new TextDecoder().decode(bytes).split("\ufffd", 1);
    throw new Error(`line ${before.split("\n").length} is not in UTF-8: save the file so`);
  }
}

/* Find the movies of a table, whose last rating of a movie counts. What is below the lowest stars
   becomes these. */
function sortOut({ rows, ...counts }, match, lowest) {
  const latest = new Map();
  for (const row of rows) {
    const { items, certain } = match(row.titles, row.year, row.item);
    const movie = JSON.stringify(certain ? items : [row.item, row.titles, row.year]);
    latest.delete(movie); // so that the later one has a later place, too
    latest.set(movie, { row, items, certain });
  }
  const own = { matched: [], doubtful: [], unknown: [], ...counts };
  own.nByTitle = 0;
  own.nRepeated = rows.length - latest.size;
  for (const { row, items, certain } of latest.values()) {
    const { line, titles, year, item } = row;
    own.nByTitle += certain && year === null && !item;
    const among = certain ? own.matched : items.length ? own.doubtful : own.unknown;
    const title = titles[0] ?? `movie ${item}`;
    among.push({ line, title, year, rating: Math.max(row.rating, lowest), items });
  }
  return own;
}

/* Read a file of preferences, or one of another site. Returns `ratings` for the list, and of another
   site what `sortOut` does. Throws an Error that tells the reader what is wrong with the file. */
export function readOwn(bytes, { items, scale }) {
  const text = decoded(bytes);
  if (/^\s*\{/.test(text)) return { ratings: read(text, scale), doubtful: [], unknown: [] };
  if (scale[1] !== STARS) throw new Error(`its ratings are in stars up to ${STARS}, unlike those here`);
  const own = sortOut(readTable(text), titleMatcher(items), scale[0]);
  const { matched, doubtful, unknown } = own;
  if (!matched.length && !doubtful.length) {
    throw new Error(`none of the ${unknown.length} movies in this file is known here`);
  }
  const ratings = matched.map(({ items: [item_id], title, rating }) => ({ item_id, title, rating }));
  return { ratings, ...own };
}

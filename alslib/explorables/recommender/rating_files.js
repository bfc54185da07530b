/* The ratings that somebody has given elsewhere, in the files that they can have there. Which these
   are, and their rules, stands in alslib/recommending/rating_files.py. */

import { records } from "./csv.js";
import { splitYear } from "./title_match.js";

// By what names each column goes, in small letters.
const COLUMNS = {
  title: ["title", "name", "film", "movie"],
  original: ["original title"],
  year: ["year"],
  rating: ["your rating", "rating", "stars"],
  item: ["movieid", "movie_id"],
  kind: ["title type"],
  user: ["userid", "user_id"],
};
const NO_FILMS = [
  "tvseries", "tvminiseries", "tvepisode", "videogame", "podcastseries", "podcastepisode",
];
const NUMBER = /^[0-9]+(?:[.,][0-9]+)?$/;
export const STARS = 5;
const TEN = 10;

const refusal = (line, reason) => new Error(`line ${line} ${reason}`);

/* The first of tab, semicolon and comma that stands outside of quotes in line 1. */
function delimiterOf(text) {
  const first = text.trimStart().split(/[\r\n]/, 1)[0].replace(/"[^"]*"/g, "");
  return ["\t", ";"].find((mark) => first.includes(mark)) ?? ",";
}

/* What the first line says: where which column is, and whether ratings are from 1 to 10, or null
   where only they can say it. */
function headOf({ line, fields }) {
  const names = fields.map((field) => field.trim().toLowerCase());
  const columns = {};
  for (const [column, known] of Object.entries(COLUMNS)) {
    const name = known.find((one) => names.includes(one));
    if (name) columns[column] = names.indexOf(name);
  }
  if ("title" in columns || "item" in columns) {
    const inStars = "item" in columns || names.includes("letterboxd uri");
    return { columns, named: true, halved: names.includes("const") || (inStars ? false : null) };
  }
  if (names.length === 2 && NUMBER.test(names[1])) {
    return { columns: { title: 0, rating: 1 }, named: false, halved: null };
  }
  throw refusal(line, "has neither a title and its rating, nor names of columns with a title");
}

function rowOf(line, cell) {
  if (!NUMBER.test(cell.rating)) throw refusal(line, `has no number as its rating: ${cell.rating}`);
  const { item = "", year } = cell;
  if (year && !/^[0-9]{4}$/.test(year)) throw refusal(line, `has no year as its year: ${year}`);
  const split = [cell.title, cell.original].map((title) => splitYear(title ?? ""));
  const titles = [...new Set(split.map(([title]) => title).filter(Boolean))];
  if (!titles.length && !item) throw refusal(line, "has a rating and no title");
  const rating = Number(cell.rating.replace(",", "."));
  return { line, item, titles, year: year ? Number(year) : split[0][1], rating };
}

function check({ line, rating }, halved) {
  const [step, most] = halved ? [1, TEN] : [0.5, STARS];
  if (!(rating > 0 && rating <= most) || rating % step) {
    const scale = halved ? "whole, from 1 to 10" : "in half stars, from 0.5 to 5";
    throw refusal(line, `has the rating ${rating}, and those of its file are ${scale}`);
  }
}

/* Returns {rows: [{line, item, titles, year, rating}, …], nUnrated, nNoFilms, halved}, the ratings
   in stars, or throws an Error that names the line that is wrong. */
export function readTable(text) {
  const lines = records(text, delimiterOf(text));
  if (!lines.length) throw new Error("this file is empty");
  const width = lines[0].fields.length;
  const head = headOf(lines[0]);
  const rows = [];
  const users = new Set();
  let [nUnrated, nNoFilms] = [0, 0];
  for (const { line, fields } of head.named ? lines.slice(1) : lines) {
    if (fields.length !== width) {
      throw refusal(line, `has ${fields.length} columns, and the first line ${width}`);
    }
    const cell = {};
    for (const [name, place] of Object.entries(head.columns)) cell[name] = fields[place].trim();
    if (users.add(cell.user).size > 1) throw refusal(line, "is of another person than the lines above");
    if (NO_FILMS.includes(cell.kind?.replace(/[ -]/g, "").toLowerCase())) nNoFilms += 1;
    else if (!cell.rating) nUnrated += 1;
    else rows.push(rowOf(line, cell));
  }
  if (!rows.length) throw new Error("this file holds no rating of a film");
  const halved = head.halved ?? rows.some(({ rating }) => rating > STARS);
  for (const row of rows) check(row, halved);
  const inStars = halved ? rows.map((row) => ({ ...row, rating: row.rating / 2 })) : rows;
  return { rows: inStars, nUnrated, nNoFilms, halved };
}

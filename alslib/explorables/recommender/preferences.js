/* A list of ratings as text, in the browser and in a file, in the format that the widget of the
   notebooks shares. Nothing here knows of the page. */

const FORMAT = "alslib-preferences";
const VERSION = 1;

/* ratings: [{item_id, title, rating}, …] */
export const write = (ratings) =>
  JSON.stringify({ format: FORMAT, version: VERSION, ratings }, null, 1) + "\n";

/* Return the ratings, or throw an Error that tells the reader what is wrong with the file. */
export function read(text, [low, high]) {
  let data;
  try {
    data = JSON.parse(text);
  } catch {
    throw new Error("it is not JSON");
  }
  if (data?.format !== FORMAT) throw new Error(`its format is not “${FORMAT}”`);
  if (data.version !== VERSION) {
    throw new Error(`its version is ${data.version}, and this page reads version ${VERSION}`);
  }
  if (!Array.isArray(data.ratings)) throw new Error("it has no list of ratings");
  const seen = new Set();
  return data.ratings.map((entry, index) => {
    const { item_id, title, rating } = entry ?? {};
    const which = `rating ${index + 1}`;
    if (!Number.isInteger(item_id) && typeof item_id !== "string") {
      throw new Error(`${which} does not say of which movie`);
    }
    if (seen.has(item_id)) throw new Error(`movie ${item_id} is rated twice`);
    seen.add(item_id);
    if (typeof rating !== "number" || rating % 0.5 || !(rating >= low && rating <= high)) {
      throw new Error(`${which} is not in half stars from ${low} to ${high}`);
    }
    return { item_id, title: typeof title === "string" ? title : `Movie ${item_id}`, rating };
  });
}

/* The browser's memory, or nothing where it is blocked, as it may be for private windows and for
   pages from a disk. Even asking for it can throw. */
export function memory(key) {
  const attempt = (action) => {
    try {
      return action(globalThis.localStorage);
    } catch {
      return undefined;
    }
  };
  const clear = () => attempt((storage) => storage.removeItem(key));
  return {
    load: () => attempt((storage) => storage.getItem(key)) ?? null,
    /* Whether it was kept. Where there is no room for it, an older text must not come back. */
    save: (text) => attempt((storage) => (storage.setItem(key, text), true)) ?? (clear(), false),
    clear,
  };
}

/* Tables as text, as RFC 4180 has them: fields in quotation marks may hold commas, line breaks, and
   quotation marks twice. Returns [{line, fields}, …] without blank lines; `line` is where a record
   begins. It reads what Python's csv reads, and refuses what that refuses. */

const QUOTED = /"[^"]*(?:""[^"]*)*"/y;
const END = /\r\n|\n|\r|$/y;

export function records(text, delimiter) {
  const plain = new RegExp(`[^${delimiter}\r\n]*`, "y");
  const found = [];
  let at = 0;
  const take = (pattern) => {
    pattern.lastIndex = at;
    const whole = pattern.exec(text)?.[0];
    at += whole?.length ?? 0;
    return whole;
  };
  for (let line = 1; at < text.length; ) {
    const [start, fields] = [at, []];
    do {
      if (fields.length) at += 1; // the delimiter
      const quoted = text[at] === '"';
      const field = take(quoted ? QUOTED : plain);
      fields.push(quoted ? field?.slice(1, -1).replaceAll('""', '"') : field);
    } while (text[at] === delimiter);
    if (fields.includes(undefined) || take(END) === undefined) {
      throw new Error(`line ${line} has a quotation mark too many or too few`);
    }
    if (fields.some((field) => field.trim())) found.push({ line, fields });
    line += text.slice(start, at).match(/\r\n|\n|\r/g)?.length ?? 0;
  }
  return found;
}

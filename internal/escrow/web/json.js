// A strict reader of one JSON object (RFC 8259). JSON.parse is not used: it takes
// the last of two members of one name, so that two readers see two things.
// Numbers are whole numbers, written as such, or NaN. Objects have no prototype.

import { text } from "./bytes.js";
import { badly } from "./problem.js";

const blank = /[ \t\n\r]*/y;
const quoted = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const word = /true|false|null/y;
const depths = 32;

export function readObject(bytes, limit) {
  const malformed = () => badly("must be one JSON object, no member of it twice");
  if (bytes.length > limit) throw badly(`must be at most ${limit} bytes`);
  const s = text(bytes);
  let at = 0;

  const take = (pattern) => {
    pattern.lastIndex = at;
    const found = pattern.exec(s);
    if (!found) throw malformed();
    at = pattern.lastIndex;
    return found[0];
  };
  const next = (c) => {
    take(blank);
    if (s[at] !== c) return false;
    at++;
    return true;
  };
  const string = () => {
    take(blank);
    const out = JSON.parse(take(quoted));
    if (/\p{Surrogate}/u.test(out)) throw malformed();
    return out;
  };
  const members = (depth) => {
    const out = Object.create(null);
    if (next("}")) return out;
    do {
      const name = string();
      if (name in out || !next(":")) throw malformed();
      out[name] = value(depth);
    } while (next(","));
    if (!next("}")) throw malformed();
    return out;
  };
  const list = (depth) => {
    const out = [];
    if (next("]")) return out;
    do out.push(value(depth));
    while (next(","));
    if (!next("]")) throw malformed();
    return out;
  };
  const value = (depth) => {
    if (depth >= depths) throw malformed();
    if (next("{")) return members(depth + 1);
    if (next("[")) return list(depth + 1);
    if (s[at] === '"') return string();
    if (/[tfn]/.test(s[at] ?? "")) return { true: true, false: false, null: null }[take(word)];
    const n = take(number);
    return /^(?:0|[1-9][0-9]{0,14})$/.test(n) ? Number(n) : NaN;
  };

  if (!next("{")) throw malformed();
  const out = members(1);
  take(blank);
  if (at !== s.length) throw malformed();
  return out;
}

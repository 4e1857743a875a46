// Writes internal/escrow/web/ranks.txt: what is guessed first, from zxcvbn's lists
// (MIT licence, Dropbox, Inc. and others). Line b has, in order, the words whose best
// rank in any of the lists is at least 2^b and below 2^(b+1); words that are no
// cheaper than as many characters at random are left out.
//
//   node test/npm/ranks.mjs > internal/escrow/web/ranks.txt
import { createRequire } from "node:module";

const lists = createRequire(import.meta.url)("zxcvbn/lib/frequency_lists.js");
const best = new Map();
for (const list of Object.values(lists)) {
  list.forEach((word, i) => best.set(word, Math.min(best.get(word) ?? Infinity, i + 1)));
}
const lines = [];
for (const [word, rank] of best) {
  const b = Math.floor(Math.log2(rank));
  if (/\s/.test(word)) throw new Error(`a word with a blank: ${word}`);
  if (2 ** b < 10 ** word.length) (lines[b] ??= []).push(word);
}
process.stdout.write(Array.from(lines, (l) => (l ?? []).sort().join(" ") + "\n").join(""));

// Holds the browser module's judgement of passphrases against zxcvbn: whatever it
// accepts has score 4 there. Passphrases are made as people make them, of zxcvbn's
// own dictionaries, dates, walks on the keyboard, repeats and other spellings.
//   node passphrases.mjs FOLDER-OF-MODULES ROUNDS SEED
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [folder, rounds, seed] = process.argv.slice(2);
const require = createRequire(import.meta.url);
const zxcvbn = require("zxcvbn");
const lists = Object.values(require("zxcvbn/lib/frequency_lists.js"));
const graphs = Object.values(require("zxcvbn/lib/adjacency_graphs.js"));
const at = (name) => pathToFileURL(`${folder}/${name}`);
const { checkPassphrase, generatePassphrase, loadWords, readRanks } = await import(at("escrow.js"));
const { neighbours, weakest } = await import(at("strength.js"));
const { below } = await import(at("passphrase.js"));
const text = (name) => readFileSync(`${folder}/${name}`, "utf8");
const ranks = readRanks(text("ranks.txt"));
const words = await loadWords(text);

let state = Number(seed) >>> 0;
const draw = (n) => { // mulberry32
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) % n;
};
const pick = (list) => list[draw(list.length)];
const digits = (n) => Array.from({ length: n }, () => draw(10)).join("");
const any = (n, from) => Array.from({ length: n }, () => pick(from)).join("");
const swap = { a: "4@", b: "8", c: "({[<", e: "3", g: "69", i: "1!|", l: "1|7", o: "0", s: "$5", t: "+7", x: "%", z: "2" };
const piece = {
  word: () => { const list = pick(lists); return list[draw(draw(2) ? list.length : Math.min(list.length, 300))]; },
  capital: () => piece.word().replace(/^./, (c) => c.toUpperCase()),
  shout: () => piece.word().toUpperCase(),
  odd: () => [...piece.word()].map((c) => (draw(2) ? c.toUpperCase() : c)).join(""),
  back: () => [...piece.word()].reverse().join(""),
  leet: () => [...piece.word()].map((c) => (swap[c] && draw(2) ? pick([...swap[c]]) : c)).join(""),
  year: () => String(1900 + draw(150)),
  date: () => { const s = pick(["", "-", "/", ".", " ", "_"]); const d = [1 + draw(31), 1 + draw(12), pick([1950 + draw(100), draw(100)])]; return (draw(2) ? d : d.reverse()).map((v) => String(v).padStart(draw(2) + 1, "0")).join(s); },
  walk: () => { const graph = pick(graphs); let c = pick(Object.keys(graph)); let out = c; for (let n = 2 + draw(12); n; n--) { const next = pick((graph[c] ?? []).filter(Boolean)); if (!next) break; c = pick([...next]); out += c; } return out; },
  run: () => { const step = pick([1, -1, 2, -2, 3, 5]); const first = pick([97, 65, 48]) + draw(10); return Array.from({ length: 3 + draw(8) }, (_, i) => String.fromCharCode(Math.max(33, first + step * i))).join(""); },
  repeat: () => { const [turn, n] = [pick([piece.word, piece.date, piece.walk, () => any(1 + draw(3), "abcxyz019!")])(), 2 + draw(6)]; return turn.repeat(n); },
  digits: () => digits(1 + draw(8)),
  mark: () => pick([..."!#$%&*+-.:;=?@_ "]),
  noise: () => any(1 + draw(5), "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#%&*?"),
};
const kinds = Object.values(piece);

const failures = [];
let accepted = 0;
let four = 0;
for (let i = 0; i < Number(rounds); i++) {
  let p = pick(kinds)();
  while (p.length < 14) p += pick(kinds)();
  if (draw(3) === 0) p += pick(kinds)();
  p = p.slice(0, 60);
  const ours = checkPassphrase(p, ranks);
  const theirs = zxcvbn(p.normalize("NFKC"));
  if (theirs.score === 4) four++;
  if (ours.ok) accepted++;
  if (ours.ok && theirs.score < 4) failures.push(`accepted, and of score ${theirs.score}: ${JSON.stringify(p)}`);
  if (ours.guesses < 1e12 && ours.guesses > theirs.guesses * 1.000001) failures.push(`${ours.guesses} guesses, and ${theirs.guesses} there: ${JSON.stringify(p)}`);
}
if (accepted < four * 0.5) failures.push(`of ${four} with score 4 only ${accepted} are accepted`);

// What is well made is accepted: the generator's always, what is drawn at random
// but for the rare one that happens to repeat itself.
const alphabet = "abcdefghijklmnopqrstuvwxyz";
const refused = [];
for (let i = 0; i < 200; i++) {
  const own = generatePassphrase(words);
  if (!checkPassphrase(own, ranks).ok) failures.push(`refused: ${own}: ${checkPassphrase(own, ranks).problem}`);
  for (const p of [any(16, alphabet), any(14, alphabet + alphabet.toUpperCase() + "0123456789"), `${pick(words)} ${pick(words)} ${pick(words)} ${pick(words)} ${pick(words)}`]) {
    const r = checkPassphrase(p, ranks);
    if (!r.ok) refused.push(`refused: ${p}: ${r.problem}`);
  }
}
if (refused.length > 12) failures.push(...refused); // of 600
for (const p of ["", "short", "correct horse", "a".repeat(200), "passwordpassword", "1qaz2wsx3edc4rfv", "qwertyuiopasdfgh", "password12345678", "abcdefghijklmnop", "25.12.1999-2000", "\u0000".repeat(20), `gurke hebel a${"\u0301".repeat(31)} Zq7#mw`]) {
  if (checkPassphrase(p, ranks).ok) failures.push(`accepted: ${JSON.stringify(p)}`);
}
const theirs = new Set(graphs.flatMap((g) => Object.entries(g).flatMap(([key, next]) => next.flatMap((n) => [...(n ?? "")].map((c) => key + c)))));
if ([...theirs].some((pair) => !neighbours.has(pair))) failures.push("a pair of neighbours on a keyboard is missing");
if (weakest("", ranks) !== 1) failures.push("nothing at all takes guesses");

// Six words, each as likely as the others: a draw that a remainder would prefer is
// drawn again.
const draws = [2 ** 32 - 1, 2 ** 32 - 297, 5];
if (below(1298, () => draws.shift()) !== (draws.length === 0 ? 5 : -1)) failures.push(`the words are not equally likely: ${draws}`);
const seen = new Map();
for (let i = 0; i < 3000; i++) for (const w of generatePassphrase(words).split("-")) seen.set(w, (seen.get(w) ?? 0) + 1);
const expected = 18000 / words.length;
const chi = words.reduce((sum, w) => sum + ((seen.get(w) ?? 0) - expected) ** 2 / expected, 0);
const free = words.length - 1;
if (Math.abs(chi - free) > 6 * Math.sqrt(2 * free)) failures.push(`chi-squared ${chi} at ${free} degrees`);

process.stdout.write(JSON.stringify({ failures: failures.slice(0, 20), accepted, four }));

// The passphrase of a tenant: everything hangs on it, and nobody can bring it back.

import { weakest } from "./strength.js";

export const least = 14;
export const most = 128;
const enough = 1e10 + 5; // zxcvbn's score 4

// normalize is the one spelling that keys are derived from.
export const normalize = (passphrase) => passphrase.normalize("NFKC");

// loadWords reads the words that passphrases are made of, loadRanks the list of what
// is guessed first. read gives the text of a file beside this one.
export const loadWords = async (read) => (await read("words.txt")).trim().split(/\s+/);

// check says what is wrong with a passphrase: {ok, problem, guesses}. ranks is what
// readRanks made of ranks.txt.
export function check(passphrase, ranks) {
  const text = normalize(passphrase);
  const length = [...text].length;
  if (length < least) return { ok: false, problem: `It must have at least ${least} characters.`, guesses: 0 };
  if (text.length > most) return { ok: false, problem: `It may have at most ${most} characters.`, guesses: 0 };
  // More marks than 30 on one letter the command line would take apart (UAX #15, stream-safe).
  if (/[\p{Cc}\p{Surrogate}]|\p{M}{29}/u.test(text)) return { ok: false, problem: "It has characters that cannot be typed again for sure.", guesses: 0 };
  const guesses = weakest(text, ranks);
  if (guesses < enough) return { ok: false, problem: "It is guessed too soon: words, names, dates, runs of the keyboard and repeats count for little.", guesses };
  return { ok: true, problem: "", guesses };
}

// below draws a number below n, each as likely as the others: what a remainder
// would prefer is drawn again.
export function below(n, draw = () => crypto.getRandomValues(new Uint32Array(1))[0]) {
  const fair = 2 ** 32 - (2 ** 32 % n);
  for (;;) {
    const v = draw();
    if (v < fair) return v % n;
  }
}

// generate makes a passphrase of six words.
export function generate(words, n = 6) {
  if (new Set(words).size !== words.length || words.length < 1024) throw new Error("the list of words is not what it must be");
  return Array.from({ length: n }, () => words[below(words.length)]).join("-");
}

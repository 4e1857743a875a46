// How soon a passphrase is guessed, by the model of zxcvbn (Wheeler, "zxcvbn:
// Low-Budget Password Strength Estimation", 2016), from below: the number here is
// never more than the one there, so that what is accepted here has its score 4.
//
// There an attacker tries sequences of patterns, and m patterns of g1 … gm guesses
// take m!·g1·…·gm + 10000^(m-1). Four patterns are past the mark whatever they
// are, so that only covers of one to three are looked at; of each pattern only what
// makes it cheaper counts, and where two readings differ the cheaper one does.

const mark = 1e12; // what four patterns take at least

// readRanks reads ranks.txt: line b has the words whose rank is 2^b or more.
export function readRanks(text) {
  const rank = new Map();
  text.trimEnd().split("\n").forEach((line, b) => {
    for (const word of line.split(" ")) if (word) rank.set(word, 2 ** b);
  });
  return { rank, sorted: [...rank.keys()].sort(), longest: [...rank.keys()].reduce((n, w) => Math.max(n, w.length), 0) };
}

// What stands for a letter.
const stands = { 4: "a", "@": "a", 8: "b", "(": "c", "{": "c", "[": "c", "<": "c", 3: "e", 6: "g", 9: "g", 1: "il", "!": "i", "|": "il", 7: "lt", 0: "o", $: "s", 5: "s", "+": "t", "%": "x", 2: "z" };

// words marks in low every segment of the text that is a word, forwards or back.
function words(text, { rank, sorted, longest }, low) {
  const n = text.length;
  // from is the first of the sorted words from lo that is not before a prefix.
  const from = (prefix, lo, hi) => {
    while (lo < hi) {
      const mid = (lo + hi) >> 1;
      if (sorted[mid] < prefix) lo = mid + 1;
      else hi = mid;
    }
    return lo;
  };
  const walk = (letters, start, at, prefix, lo, hi, put) => {
    if (at === n || prefix.length === longest) return;
    for (const c of letters[at]) {
      const next = prefix + c;
      const first = from(next, lo, hi);
      if (first === hi || !sorted[first].startsWith(next)) continue;
      if (sorted[first] === next) put(start, at, rank.get(next));
      walk(letters, start, at + 1, next, first, from(next + "\uffff", first, hi), put);
    }
  };
  // The lower case of a whole text can differ from that of its characters (Σ).
  const whole = text.toLowerCase();
  const letters = Array.from({ length: n }, (_, i) => {
    const small = text[i].toLowerCase();
    return [...new Set([whole.length === n ? whole[i] : small, small, ...(stands[text[i]] ?? "")])];
  });
  for (let i = 0; i < n; i++) walk(letters, i, i, "", 0, sorted.length, low);
  const back = [...letters].reverse();
  for (let i = 0; i < n; i++) walk(back, i, i, "", 0, sorted.length, (a, b, r) => low(n - 1 - b, n - 1 - a, r));
}

// Rows of keys, each key with what it types; at is the column of the first, and
// slanted whether rows lean as on a typewriter.
const boards = [
  [true, ["`~ 1! 2@ 3# 4$ 5% 6^ 7& 8* 9( 0) -_ =+", 0], ["qQ wW eE rR tT yY uU iI oO pP [{ ]} \\|", 1], ["aA sS dD fF gG hH jJ kK lL ;: '\"", 1], ["zZ xX cC vV bB nN mM ,< .> /?", 1]],
  [true, ["`~ 1! 2@ 3# 4$ 5% 6^ 7& 8* 9( 0) [{ ]}", 0], ["'\" ,< .> pP yY fF gG cC rR lL /? =+ \\|", 1], ["aA oO eE uU iI dD hH tT nN sS -_", 1], [";: qQ jJ kK xX bB mM wW vV zZ", 1]],
  [false, ["/ * -", 1], ["7 8 9 +", 0], ["4 5 6", 0], ["1 2 3", 0], ["0 .", 1]],
  [false, ["= / *", 1], ["7 8 9 -", 0], ["4 5 6 +", 0], ["1 2 3", 0], ["0 .", 1]],
];
const leaning = [[-1, 0], [0, -1], [1, -1], [1, 0], [0, 1], [-1, 1]];
const straight = [...leaning, [-1, -1], [1, 1]];

// neighbours are the pairs of characters whose keys touch, on any board.
export const neighbours = new Set();
for (const [slanted, ...rows] of boards) {
  const keys = new Map();
  rows.forEach(([row, at], y) => row.split(" ").forEach((key, i) => keys.set(`${at + i},${y}`, key)));
  for (const [place, key] of keys) {
    const [x, y] = place.split(",").map(Number);
    for (const [dx, dy] of slanted ? leaning : straight) {
      for (const a of key) for (const b of keys.get(`${x + dx},${y + dy}`) ?? "") neighbours.add(a + b);
    }
  }
}

const keypad = /^[0-9/*\-+.=]+$/;
const year = /^(?:19\d\d|20[01]\d)$/;
const date = /^(?:\d{4,8}|\d{1,4}([\s/\\_.-])\d{1,2}\1\d{1,4})$/;

// runs marks keyboard walks and sequences: each position continues the run before it.
function runs(text, low) {
  for (let i = 0; i < text.length; i++) {
    for (let j = i + 1; j < text.length && neighbours.has(text[j - 1] + text[j]); j++) {
      if (j - i >= 2) low(i, j, (j - i) * (keypad.test(text.slice(i, j + 1)) ? 15 * 5 : 94 * 4.5));
    }
    const step = text.charCodeAt(i + 1) - text.charCodeAt(i);
    for (let j = i + 1; j < text.length && text.charCodeAt(j) - text.charCodeAt(j - 1) === step && Math.abs(step) <= 5; j++) low(i, j, 4 * (j - i + 1));
  }
}

// repeats marks what repeats itself: its guesses are those of one turn for each.
function repeats(text, low, of) {
  for (let i = 0; i < text.length; i++) {
    for (let turn = 1; i + 2 * turn <= text.length; turn++) {
      let end = i + turn;
      while (end < text.length && text[end] === text[end - turn]) end++;
      for (let times = Math.floor((end - i) / turn); times >= 2; times--) low(i, i + times * turn - 1, of(text.slice(i, i + turn)) * times);
    }
  }
}

// weakest is how many guesses a text takes at least, 1e12 for more.
export function weakest(text, ranks, known = new Map()) {
  if (known.has(text)) return known.get(text);
  const n = text.length;
  if (n === 0) return 1;
  const cost = Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => (j < i ? 0 : 10 ** Math.min(j - i + 1, 300))));
  const low = (i, j, guesses) => {
    if (guesses < cost[i][j]) cost[i][j] = guesses;
  };
  words(text, ranks, low);
  runs(text, low);
  for (let i = 0; i < n; i++) {
    for (let j = i + 3; j < Math.min(n, i + 10); j++) {
      const part = text.slice(i, j + 1);
      if (year.test(part)) low(i, j, 20);
      if (date.test(part)) low(i, j, 365 * 20);
    }
  }
  repeats(text, low, (turn) => weakest(turn, ranks, known));
  // A part of a text takes 50 guesses at least, a single character 10.
  const part = (i, j) => (j - i + 1 === n ? cost[i][j] : Math.max(cost[i][j], i === j ? 10 : 50));
  let out = Math.min(mark, part(0, n - 1));
  for (let i = 0; i < n - 1; i++) {
    const first = part(0, i);
    out = Math.min(out, 2 * first * part(i + 1, n - 1) + 1e4);
    for (let j = i + 1; j < n - 1; j++) out = Math.min(out, 6 * first * part(i + 1, j) * part(j + 1, n - 1) + 1e8);
  }
  known.set(text, out);
  return out;
}

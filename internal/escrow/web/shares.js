// Shamir's shares of a recovery key (32 bytes), and the text in which each is
// printed and typed in again. The field is that of AES, as on the command line.

import { concat, fromBase64url, hash, random, same, utf8 } from "./bytes.js";
import { Problem } from "./problem.js";

export const keyBytes = 32;
export const most = 16;
const setBytes = 5;
const markBytes = 8;
const bodyBytes = 3 + setBytes + markBytes + keyBytes;
const shareBytes = bodyBytes + 4;

const problem = (message) => new Problem("shares", message);

// multiply is the product in GF(2^8), without tables or branches: how long it takes
// says nothing of a key.
export function multiply(a, b) {
  let p = 0;
  for (let i = 0; i < 8; i++) {
    p ^= -(b & 1) & a;
    a = ((a << 1) ^ (-(a >> 7) & 0x11b)) & 0xff;
    b >>= 1;
  }
  return p;
}

function inverse(a) {
  let out = 1;
  for (let i = 0, square = a; i < 7; i++) {
    square = multiply(square, square);
    out = multiply(out, square);
  }
  return out;
}

// valueAt is where the polynomials through some shares are at x.
function valueAt(x, some) {
  const out = new Uint8Array(keyBytes);
  for (const s of some) {
    let above = 1;
    let below = 1;
    for (const other of some) {
      if (other === s) continue;
      above = multiply(above, x ^ other.x);
      below = multiply(below, s.x ^ other.x);
    }
    const weight = multiply(above, inverse(below));
    for (let b = 0; b < keyBytes; b++) out[b] ^= multiply(weight, s.y[b]);
  }
  return out;
}

// split makes n shares of a key, k of which restore it; kid is the thumbprint of
// the key that the recovery copy is for.
export function split(key, kid, k, n) {
  if (!Number.isInteger(k) || !Number.isInteger(n) || k < 2 || n < k || n > most) throw problem(`2 ≤ k ≤ n ≤ ${most} shares`);
  if (key.length !== keyBytes) throw problem(`a recovery key has ${keyBytes} bytes`);
  const set = encode(random(setBytes));
  const mark = markOf(kid);
  const coefficients = random((k - 1) * keyBytes);
  const list = Array.from({ length: n }, (_, i) => {
    const x = i + 1;
    const y = Uint8Array.from(key, (constant, b) => {
      let out = 0;
      for (let c = k - 2; c >= 0; c--) out = multiply(out, x) ^ coefficients[c * keyBytes + b];
      return multiply(out, x) ^ constant;
    });
    return { set, mark, k, n, x, y };
  });
  coefficients.fill(0);
  return list;
}

// combine restores a key from k shares of one set or more. Those beyond k must
// agree with the others.
export function combine(list) {
  if (!list.length) throw problem("There are no shares.");
  const [of] = list;
  const seen = new Set();
  for (const s of list) {
    if (s.set !== of.set || s.k !== of.k || s.n !== of.n) throw problem(`The shares are of different sets: ${of.set} and ${s.set}.`);
    if (!same(s.mark, of.mark)) throw problem("The shares are for different keys.");
    if (seen.has(s.x)) throw problem(`Share ${s.x} is there twice.`);
    seen.add(s.x);
  }
  if (list.length < of.k) throw problem(`There are ${list.length} shares of set ${of.set}, and ${of.k} of them are needed.`);
  const some = list.slice(0, of.k);
  for (const s of list.slice(of.k)) {
    if (!same(valueAt(s.x, some), s.y)) throw problem(`The shares disagree: one of them is not what was printed (share ${s.x} does not agree with the others).`);
  }
  return valueAt(0, some);
}

// Base32 without letters that look like digits (Crockford).
const letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

function encode(bytes) {
  let out = "";
  let held = 0;
  let bits = 0;
  for (const b of bytes) {
    held = (held << 8) | b;
    for (bits += 8; bits >= 5; bits -= 5) out += letters[(held >> (bits - 5)) & 31];
    held &= 31;
  }
  return bits ? out + letters[(held << (5 - bits)) & 31] : out;
}

function decode(text) {
  const out = [];
  let held = 0;
  let bits = 0;
  for (const c of text) {
    const v = letters.indexOf(c);
    if (v < 0) return null;
    held = ((held << 5) | v) & 0xfff;
    bits += 5;
    if (bits >= 8) out.push((held >> (bits -= 8)) & 0xff);
  }
  return Uint8Array.from(out);
}

const markOf = (kid) => fromBase64url(kid).subarray(0, markBytes);
const check = async (body) => (await hash(concat(utf8("portreeve-escrow-share\0"), body))).subarray(0, 4);

// print is a share as it is printed: 84 letters and digits in groups of six.
export async function print(s) {
  const body = concat([1, ((s.k - 1) << 4) | (s.n - 1), s.x], decode(s.set), s.mark, s.y);
  return encode(concat(body, await check(body))).match(/.{1,6}/g).join("-");
}

// parse reads a share as somebody typed it: capitals or not, O for 0, I and L for
// 1, hyphens and blanks anywhere. What was typed is not quoted: it is a part of a key.
export async function parse(typed) {
  if (typeof typed !== "string" || typed.length > 512) throw problem("This is not a share.");
  const text = typed.trim().toUpperCase().replace(/[- \t]/g, "").replaceAll("O", "0").replace(/[IL]/g, "1");
  if (text.length !== 84) throw problem(`This is not a share: it has ${text.length} letters and digits, and a share has 84.`);
  const bytes = decode(text);
  const wrong = () => problem("This is not a share as it was printed: some letter is not what the sheet says.");
  if (!bytes || bytes.length !== shareBytes || encode(bytes) !== text) throw wrong();
  const body = bytes.subarray(0, bodyBytes);
  if (!same(await check(body), bytes.subarray(bodyBytes))) throw wrong();
  const s = {
    set: encode(body.subarray(3, 3 + setBytes)), mark: body.slice(3 + setBytes, 3 + setBytes + markBytes),
    k: (body[1] >> 4) + 1, n: (body[1] & 15) + 1, x: body[2], y: body.slice(3 + setBytes + markBytes),
  };
  if (body[0] !== 1) throw problem(`This is a share of version ${body[0]}, and only version 1 is known here.`);
  if (s.k < 2 || s.n < s.k || s.x < 1 || s.x > s.n) throw problem("This is not a share: its numbers make no sense.");
  return s;
}

// isFor reports whether a share is for the key of a kid.
export const isFor = (s, kid) => same(s.mark, markOf(kid));

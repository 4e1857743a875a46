// Byte strings, and the spellings of them. Each is read in its one spelling and no
// other: two texts are never the same bytes.

import { badly } from "./problem.js";

export const utf8 = (text) => new TextEncoder().encode(text);

// text reads UTF-8; what is none is refused, a mark at the beginning is kept.
export function text(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw badly("is no UTF-8");
  }
}

export const random = (n) => crypto.getRandomValues(new Uint8Array(n));

export function concat(...parts) {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

// same compares without stopping at the first difference.
export function same(a, b) {
  let differs = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) differs |= a[i] ^ (b[i] ?? 0);
  return differs === 0;
}

export function toBase64(bytes) {
  let raw = "";
  for (const b of bytes) raw += String.fromCharCode(b);
  return btoa(raw);
}

export const toBase64url = (bytes) => toBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

const raw = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

// fromBase64url reads base64url without padding.
export function fromBase64url(text) {
  if (typeof text === "string" && /^[A-Za-z0-9_-]*$/.test(text) && text.length % 4 !== 1) {
    const bytes = raw(text.replaceAll("-", "+").replaceAll("_", "/"));
    if (toBase64url(bytes) === text) return bytes;
  }
  throw badly("must be base64url without padding, in its one spelling");
}

// fromBase64 reads the standard alphabet with padding.
export function fromBase64(text) {
  if (typeof text === "string" && /^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.length % 4 === 0) {
    const bytes = raw(text);
    if (toBase64(bytes) === text) return bytes;
  }
  throw badly("must be base64 with padding, in its one spelling");
}

// anyBase64 reads either alphabet, padded or not, as older systems wrote it.
export function anyBase64(text) {
  if (typeof text !== "string" || !/^[A-Za-z0-9+/_-]+=*$/.test(text)) throw badly("must be base64");
  const bare = text.replace(/=+$/, "").replaceAll("-", "+").replaceAll("_", "/");
  if (bare.length % 4 === 1) throw badly("must be base64");
  return raw(bare);
}

// hash is SHA-256.
export const hash = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));

// What the older system wrapped private keys by: PBKDF2 over the passphrase,
// AES-256-GCM over the key, in JSON. Its documents name neither the members nor
// the count, so that the usual spellings are taken, and what does not say its count
// is refused before anything is derived.

import { anyBase64, utf8 } from "./bytes.js";
import { maxWrapping } from "./jwe.js";
import { readObject } from "./json.js";
import { badly, Problem } from "./problem.js";

export const format = "pbkdf2-aesgcm";

const one = (m, ...names) => m[names.find((name) => name in m)];

// readImported checks an older wrapping, an object or a text.
export function readImported(wrapped) {
  const m = readObject(utf8(typeof wrapped === "string" ? wrapped : JSON.stringify(wrapped)), maxWrapping);
  if (typeof m.format === "string" && m.format !== "" && m.format !== format) throw badly(`must be of the format ${format}`);
  const said = one(m, "hash", "prf") ?? "SHA-256";
  const hash = typeof said === "string" && { SHA256: "SHA-256", SHA384: "SHA-384", SHA512: "SHA-512" }[said.replaceAll("-", "").toUpperCase()];
  if (!hash) throw badly("must name as hash SHA-256, SHA-384 or SHA-512");
  const iterations = one(m, "iterations", "iter", "rounds");
  if (!Number.isInteger(iterations) || iterations < 1_000 || iterations > 5_000_000) throw badly("must name as iterations a whole number from 1000 to 5000000");
  const bytes = (least, most, ...names) => {
    const b = anyBase64(one(m, ...names));
    if (b.length < least || b.length > most) throw badly(`must have as ${names[0]} ${least} to ${most} bytes in base64`);
    return b;
  };
  return {
    hash, iterations, salt: bytes(8, 256, "salt"), iv: bytes(12, 16, "iv", "nonce"),
    ciphertext: bytes(17, maxWrapping, "ciphertext", "ct", "data", "wrapped"),
  };
}

// unwrapImported gives what is inside, in bytes. There is no other check than the
// content's, so that a wrong passphrase and an altered content look the same. The
// older system took the passphrase as it was typed: where NFKC changes it, both
// spellings are tried.
export async function unwrapImported(wrapped, passphrase) {
  const { hash, iterations, salt, iv, ciphertext } = readImported(wrapped);
  for (const spelled of new Set([passphrase, passphrase.normalize("NFKC")])) {
    const base = await crypto.subtle.importKey("raw", utf8(spelled), "PBKDF2", false, ["deriveKey"]);
    const key = await crypto.subtle.deriveKey({ name: "PBKDF2", hash, salt, iterations }, base, { name: "AES-GCM", length: 256 }, false, ["decrypt"]);
    try {
      return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv, tagLength: 128 }, key, ciphertext));
    } catch {
      continue;
    }
  }
  throw new Problem("passphrase", "The passphrase is wrong.");
}

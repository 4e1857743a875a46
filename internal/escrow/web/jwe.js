// Compact JWEs (RFC 7516) as secret escrow has them, and no others: which members a
// protected header has is fixed, and all of it is checked before anything is
// derived or decrypted.

import { bigint, publicKey, sealing } from "./jwk.js";
import { concat, fromBase64, fromBase64url, random, toBase64, toBase64url, utf8 } from "./bytes.js";
import { readObject } from "./json.js";
import { badly, Problem } from "./problem.js";

export const maxSealed = 64 << 10;
export const maxWrapping = 16 << 10;
export const leastCount = 600_000;
export const mostCount = 1_000_000;
const pbes2 = "PBES2-HS512+A256KW";
const jwkSet = "jwk-set+json";
export const typeRecovery = "portreeve-escrow-recovery";

// split takes a compact form apart: its parts in bytes.
export function split(compact, n, most) {
  if (typeof compact !== "string" || compact.length > most) throw badly(`must be at most ${most} bytes`);
  const parts = compact.split(".");
  if (parts.length !== n) throw badly(`must be the compact form: ${n} parts with points between them`);
  return parts.map(fromBase64url);
}

// header reads a protected header: rules says of each member it may have whether
// what stands there will do; those whose names end in "?" need not stand there.
export function header(bytes, rules) {
  const m = readObject(bytes, 4 << 10);
  for (const name of ["zip", "crit"]) if (name in m) throw badly(`must not have ${name} in its protected header`);
  for (const name in m) if ((name.endsWith("?") || !Object.hasOwn(rules, name)) && !Object.hasOwn(rules, `${name}?`)) throw badly("has in its protected header a member that is not described");
  for (const [rule, good] of Object.entries(rules)) {
    const name = rule.replace("?", "");
    if (!(name in m) && name === rule) throw badly(`must have ${name} in its protected header`);
    if (name in m && !good(m[name])) throw badly(`has in its protected header a ${name} that is not as it must be`);
  }
  return m;
}

export const is = (want) => (v) => v === want;
export const textOf = (most) => (v) => typeof v === "string" && v !== "" && utf8(v).length <= most;
const whole = (least, most) => (v) => Number.isInteger(v) && v >= least && v <= most;

function gcm([, , iv, ciphertext, tag]) {
  if (iv.length !== 12 || tag.length !== 16 || !ciphertext.length) throw badly("must be encrypted by A256GCM: an IV of 12 bytes, a ciphertext, a tag of 16 bytes");
}

const protect = (header) => toBase64url(utf8(JSON.stringify(header)));

// encrypt makes the compact form; the protected header is the additional data.
async function encrypt(head, encryptedKey, contentKey, plaintext) {
  const iv = random(12);
  const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: utf8(head), tagLength: 128 }, contentKey, plaintext));
  const parts = [encryptedKey, iv, sealed.subarray(0, -16), sealed.subarray(-16)];
  return [head, ...parts.map(toBase64url)].join(".");
}

// decrypt gives null where the content is not what was encrypted.
async function decrypt(compact, [, , iv, ciphertext, tag], contentKey) {
  const additionalData = utf8(compact.slice(0, compact.indexOf(".")));
  try {
    return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData, tagLength: 128 }, contentKey, concat(ciphertext, tag)));
  } catch {
    return null;
  }
}

const altered = () => new Problem("altered", "The wrapped key was altered: its content is not what was encrypted.");

// ---- A private key wrapped by a passphrase.

// readWrapping checks a wrapped private key of the key that a kid names.
export function readWrapping(compact, kid) {
  const parts = split(compact, 5, maxWrapping);
  const head = header(parts[0], {
    alg: is(pbes2), enc: is("A256GCM"), "kid?": is(kid), "cty?": is(jwkSet), p2c: whole(leastCount, mostCount),
    p2s: (v) => { const n = fromBase64url(v).length; return n >= 16 && n <= 64; },
  });
  if (parts[1].length !== 40) throw badly("must hold a content key of 32 bytes, wrapped by A256KW");
  gcm(parts);
  return { parts, salt: fromBase64url(head.p2s), count: head.p2c };
}

// kek derives the key that wraps the content key (RFC 7518 section 4.8.1.1). It
// cannot be taken out of the browser's hands.
async function kek(passphrase, salt, count, use) {
  const base = await crypto.subtle.importKey("raw", utf8(passphrase.normalize("NFKC")), "PBKDF2", false, ["deriveKey"]);
  const whole = concat(utf8(pbes2), [0], salt);
  return crypto.subtle.deriveKey({ name: "PBKDF2", hash: "SHA-512", salt: whole, iterations: count }, base, { name: "AES-KW", length: 256 }, false, [use]);
}

export async function wrap(plaintext, kid, passphrase, count = leastCount) {
  const salt = random(32);
  const contentKey = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, true, ["encrypt"]);
  const encryptedKey = new Uint8Array(await crypto.subtle.wrapKey("raw", contentKey, await kek(passphrase, salt, count, "wrapKey"), "AES-KW"));
  const compact = await encrypt(protect({ alg: pbes2, enc: "A256GCM", cty: jwkSet, kid, p2c: count, p2s: toBase64url(salt) }), encryptedKey, contentKey, plaintext);
  readWrapping(compact, kid);
  return compact;
}

export async function unwrap(compact, kid, passphrase) {
  const w = readWrapping(compact, kid);
  const key = await kek(passphrase, w.salt, w.count, "unwrapKey");
  let contentKey;
  try {
    contentKey = await crypto.subtle.unwrapKey("raw", w.parts[1], key, "AES-KW", "AES-GCM", false, ["decrypt"]);
  } catch {
    throw new Problem("passphrase", "The passphrase is wrong.");
  }
  const plaintext = await decrypt(compact, w.parts, contentKey);
  if (!plaintext) throw altered();
  return plaintext;
}

// ---- A private key encrypted by a recovery key.

// readRecovery checks a recovery copy: {parts, set, k, n}.
export function readRecovery(compact, kid) {
  const parts = split(compact, 5, maxWrapping);
  const { set, k, n } = header(parts[0], {
    alg: is("dir"), enc: is("A256GCM"), typ: is(typeRecovery), "cty?": is(jwkSet), kid: is(kid), set: textOf(64), k: whole(2, 16), n: whole(2, 16),
  });
  if (k > n) throw badly("must say k and n with 2 ≤ k ≤ n ≤ 16");
  if (parts[1].length) throw badly("must have no encrypted key: the recovery key encrypts it directly (dir)");
  gcm(parts);
  return { parts, set, k, n };
}

const direct = (key, use) => crypto.subtle.importKey("raw", key, "AES-GCM", false, [use]);

export async function sealRecovery(plaintext, kid, key, { set, k, n }) {
  const head = protect({ alg: "dir", enc: "A256GCM", typ: typeRecovery, cty: jwkSet, kid, set, k, n });
  return encrypt(head, new Uint8Array(0), await direct(key, "encrypt"), plaintext);
}

export async function openRecovery(compact, kid, key) {
  const plaintext = await decrypt(compact, readRecovery(compact, kid).parts, await direct(key, "decrypt"));
  if (!plaintext) throw new Problem("shares", "The shares do not open the recovery copy: one of them was altered, or the copy was.");
  return plaintext;
}

// ---- Secrets, sealed to a public key.

// readSealed checks the outside of a sealed secret: {parts, kid?, tenant, machine, kind}.
export function readSealed(compact) {
  const parts = split(compact, 5, maxSealed);
  const name = textOf(255);
  const head = header(parts[0], { alg: is(sealing), enc: is("A256GCM"), tenant: name, machine: name, kind: name, "kid?": name, "typ?": is("JWE") });
  gcm(parts);
  return { parts, kid: head.kid, tenant: head.tenant, machine: head.machine, kind: head.kind };
}

const oaep = (jwk) => crypto.subtle.importKey("jwk", { kty: jwk.kty, n: jwk.n, e: jwk.e }, { name: "RSA-OAEP", hash: "SHA-256" }, false, ["encrypt", "wrapKey"]);

// seal seals a secret, bound to its machine.
export async function seal(jwk, { tenant, machine, kind }, secret) {
  const to = await publicKey(jwk);
  const contentKey = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, true, ["encrypt"]);
  const encryptedKey = new Uint8Array(await crypto.subtle.wrapKey("raw", contentKey, await oaep(to.jwk), "RSA-OAEP"));
  const compact = await encrypt(protect({ alg: sealing, enc: "A256GCM", kid: to.kid, tenant, machine, kind }), encryptedKey, contentKey, secret);
  readSealed(compact);
  return compact;
}

// sealRaw seals as older engines do. Nothing in it says whose it is.
export async function sealRaw(jwk, secret) {
  return toBase64(new Uint8Array(await crypto.subtle.encrypt("RSA-OAEP", await oaep((await publicKey(jwk)).jwk), secret)));
}

const unopened = () => new Problem("altered", "The secret does not open with the key: it was altered, or sealed to another one.");

// openSealed opens what readSealed has read; mine is the private CryptoKey, to the
// public key as publicKey gives it.
export async function openSealed(compact, { parts }, mine, to) {
  if (parts[1].length !== to.bytes) throw badly(`must be sealed to the key: ${to.bytes} bytes of encrypted key`);
  let contentKey;
  try {
    contentKey = await crypto.subtle.unwrapKey("raw", parts[1], mine, "RSA-OAEP", { name: "AES-GCM", length: 256 }, false, ["decrypt"]);
  } catch {
    throw unopened();
  }
  if (contentKey.algorithm.length !== 256) throw unopened();
  const secret = await decrypt(compact, parts, contentKey);
  if (!secret) throw unopened();
  return secret;
}

// openRaw opens RSA-OAEP alone: secrets of older engines, and challenges.
export async function openRaw(base64, mine, to) {
  const bytes = fromBase64(base64);
  const number = bigint(bytes);
  if (bytes.length !== to.bytes || number >= to.n || number < 1n << 63n) throw badly(`must be a compact JWE or the base64 of the ${to.bytes} bytes that RSA-OAEP with SHA-256 makes`);
  try {
    return new Uint8Array(await crypto.subtle.decrypt("RSA-OAEP", mine, bytes));
  } catch {
    throw unopened();
  }
}

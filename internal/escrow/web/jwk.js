// Public keys as JWKs (RFC 7517), known by their thumbprints (RFC 7638).

import { fromBase64url, hash, same, toBase64url, utf8 } from "./bytes.js";
import { readObject } from "./json.js";
import { badly } from "./problem.js";

export const newBits = 3072; // what new keys have at least
export const importedBits = 2048;
const mostBits = 8192;
const maxJWK = 8 << 10;

export const sealing = "RSA-OAEP-256";
const secret = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

// members takes a JWK as an object or a text. One with a private member is refused
// before anything of it is looked at.
function members(jwk) {
  const m = readObject(utf8(typeof jwk === "string" ? jwk : JSON.stringify(jwk)), maxJWK);
  if (secret.some((name) => name in m)) throw badly("has a private member: it must be the public key alone, and the key that it belongs to is no longer secret");
  return m;
}

const says = (m, name, ...values) => {
  if (name in m && !values.includes(m[name])) throw badly(name === "kid" ? "must have as kid its thumbprint (RFC 7638), or none" : `must say ${name} ${values[0]}, or nothing of it`);
};

const thumbprint = async (core) => toBase64url(await hash(utf8(JSON.stringify(core))));

export const bigint = (bytes) => bytes.reduce((n, b) => (n << 8n) | BigInt(b), 0n);

// publicKey reads an RSA key that secrets are sealed to, of at least so many bits:
// {kid, jwk, n, bits, bytes}; jwk has kty, n, e, use, alg and kid.
export async function publicKey(jwk, least = importedBits) {
  const m = members(jwk);
  if (m.kty !== "RSA") throw badly("must be an RSA key (kty)");
  const [n, e] = ["n", "e"].map((name) => {
    const bytes = fromBase64url(m[name]);
    if (!bytes.length || bytes[0] === 0 || bytes.length > mostBits / 8) throw badly(`must have ${name} as base64url without leading zeros`);
    return bytes;
  });
  const modulus = bigint(n);
  const bits = n.length * 8 - Math.clz32(n[0]) + 24;
  const exponent = bigint(e);
  if (exponent !== 65537n && (least >= newBits || exponent < 3n || exponent % 2n === 0n || exponent >> 31n)) throw badly("must have the exponent 65537");
  if (bits < least) throw badly(`must have a modulus of at least ${least} bits; it has ${bits}`);
  if (bits > mostBits) throw badly(`must have a modulus of at most ${mostBits} bits`);
  if (bits % 8) throw badly("must have a modulus of whole bytes");
  for (let p = 2n; p < 4096n; p++) if (modulus % p === 0n) throw badly("can be factored: it is no key that a sound generator made");
  const kid = await thumbprint({ e: m.e, kty: "RSA", n: m.n });
  says(m, "use", "enc");
  says(m, "alg", sealing);
  says(m, "kid", kid);
  if ("key_ops" in m && !(Array.isArray(m.key_ops) && m.key_ops.length && m.key_ops.every((op) => op === "encrypt" || op === "wrapKey"))) {
    throw badly("must say in key_ops encrypt or wrapKey, or nothing of it");
  }
  return { kid, jwk: { kty: "RSA", use: "enc", alg: sealing, kid, n: m.n, e: m.e }, n: modulus, bits, bytes: n.length };
}

// The y coordinates, little-endian and without the sign, of the eight points whose
// multiples are few, in each of their spellings: signatures can be made up for them.
const lowOrder = [
  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "7P_______________________________________38",
  "7f_______________________________________38", "7v_______________________________________38",
  "xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA3o", "JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU",
].map(fromBase64url);

// signingKey reads the public half of a signing key (RFC 8037): {kid, jwk, x}.
export async function signingKey(jwk) {
  const m = members(jwk);
  const x = fromBase64url(m.x);
  if (m.kty !== "OKP" || m.crv !== "Ed25519" || x.length !== 32) throw badly("must be an Ed25519 key: kty OKP, crv Ed25519, x of 32 bytes");
  const unsigned = Uint8Array.from(x);
  unsigned[31] &= 0x7f;
  if (lowOrder.some((bad) => same(bad, unsigned))) throw badly("must be an Ed25519 key that somebody has: this one verifies what nobody signed");
  const kid = await thumbprint({ crv: "Ed25519", kty: "OKP", x: m.x });
  says(m, "alg", "EdDSA", "Ed25519");
  says(m, "use", "sig");
  says(m, "kid", kid);
  return { kid, jwk: { kty: "OKP", crv: "Ed25519", x: m.x, use: "sig", alg: "EdDSA", kid }, x };
}

// A tenant's private keys while they are open: what they are for, and nothing that
// takes them out of the browser's hands. Nothing here sends anything anywhere.

import { concat, fromBase64url, hash, random, same, text, toBase64, toBase64url, utf8 } from "./bytes.js";
import { readImported, unwrapImported } from "./imported.js";
import * as jwe from "./jwe.js";
import { bigint, newBits, publicKey, signingKey } from "./jwk.js";
import { readObject } from "./json.js";
import { badly, Problem } from "./problem.js";
import * as shares from "./shares.js";
import { sign, typeStatement, typeSuccession } from "./statements.js";

const rsa = { name: "RSA-OAEP", hash: "SHA-256" };

// support says what this browser lacks, [] for nothing. There is no polyfill: key
// handling in a script would be worse than none.
export async function support() {
  if (!globalThis.crypto?.subtle) return ["This page has no Web Cryptography: it must be opened over https, in a current browser."];
  try {
    await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
    return [];
  } catch {
    return ["This browser has no Ed25519, which tenant keys are signed by. Use a current one: Chrome or Edge from 137, Firefox from 129, Safari from 17."];
  }
}

async function supported() {
  const [lack] = await support();
  if (lack) throw new Problem("unsupported", lack);
}

const swapped = (what, sealed, listed) => new Problem("swapped", `The secret was swapped: it was sealed for ${what} "${sealed}" and is listed under "${listed}".`);

// isChallenge reports whether something that was opened may be sent as a proof. The
// content key of a secret is sealed likewise; the second half of a challenge is made
// of the first, which no content key's is.
async function isChallenge(opened, kid) {
  const mark = await hash(concat(utf8(`portreeve-escrow-challenge\0${kid}`), opened.subarray(0, 16)));
  return opened.length === 32 && same(mark.subarray(0, 16), opened.subarray(16));
}

let setOf; // the private JWKs of keys that were opened with {keep: true}

// Keys are a tenant key and, but for an imported one, its signing key.
export class Keys {
  #public; // as publicKey reads it
  #decrypt;
  #unwrap;
  #sign;
  #set; // the JWK set in bytes, only while it is to be wrapped

  constructor(parts) {
    ({ public: this.#public, decrypt: this.#decrypt, unwrap: this.#unwrap, sign: this.#sign, set: this.#set } = parts);
    this.kid = this.#public.kid;
    this.publicKey = this.#public.jwk;
    this.signer = parts.signer?.kid ?? null;
    this.signingKey = parts.signer?.jwk ?? null;
    this.weak = this.#public.bits < newBits;
    Object.freeze(this);
  }

  static {
    setOf = (keys) => readObject(keys.#whole(), jwe.maxWrapping).keys;
  }

  get open() {
    return !!this.#decrypt;
  }

  #opened() {
    if (!this.#decrypt) throw new Problem("locked", "The keys were dropped: enter the passphrase again.");
  }

  #whole() {
    this.#opened();
    if (!this.#set) throw new Problem("locked", "The keys are open for reading alone: enter the passphrase again.");
    return this.#set;
  }

  // reveal opens a secret, as POST /v1/secrets/{id}/reveal answers: {secret (bytes),
  // bound, machine}. bound is false where nothing in it says whose it is.
  async reveal(answer) {
    this.#opened();
    if (answer.kid !== this.kid) throw swapped("the key", this.kid, answer.kid);
    if (!answer.ciphertext?.includes(".")) return { secret: await jwe.openRaw(answer.ciphertext, this.#decrypt, this.#public), bound: false, machine: null };
    const sealed = jwe.readSealed(answer.ciphertext);
    const fold = (host) => host?.replace(/[A-Z]/g, (c) => c.toLowerCase()).replace(/\.$/, "");
    const { id, serial, hostname, lastHostname, hostnames = [] } = answer.machine ?? {};
    if (sealed.kid !== undefined && sealed.kid !== this.kid) throw swapped("the key", sealed.kid, answer.kid);
    if (sealed.tenant !== answer.tenant) throw swapped("the tenant", sealed.tenant, answer.tenant);
    if (sealed.kind !== answer.kind) throw swapped("the kind", sealed.kind, answer.kind);
    const hosts = [hostname, lastHostname, ...hostnames].filter(Boolean).map(fold);
    if (sealed.machine !== id && !(serial && sealed.machine === serial) && !hosts.includes(fold(sealed.machine))) throw swapped("the machine", sealed.machine, hostname ?? id);
    return { secret: await jwe.openSealed(answer.ciphertext, sealed, this.#unwrap, this.#public), bound: true, machine: sealed.machine };
  }

  // answer is the proof for a challenge.
  async answer(challenge) {
    this.#opened();
    if (challenge.kid !== this.kid) throw badly("is a challenge for another key");
    const opened = await jwe.openRaw(challenge.ciphertext, this.#decrypt, this.#public);
    if (!(await isChallenge(opened, this.kid))) {
      opened.fill(0);
      throw badly("is no challenge: what the server wants opened is something else, perhaps a secret");
    }
    return toBase64(opened);
  }

  // state signs what the challenge says of this key: `signature`.
  async state({ tenant, createdAt, predecessor = null }) {
    return this.#signed(typeStatement, { kid: this.kid, tenant, createdAt, predecessor });
  }

  // authorize signs that other keys take the place of these: `authorization`.
  async authorize({ kid, signer, tenant }) {
    return this.#signed(typeSuccession, { kid, signer, tenant, predecessor: this.kid });
  }

  async #signed(typ, payload) {
    this.#opened();
    if (!this.#sign) throw new Problem("unsigned", "The key has no signing key: it is an imported one.");
    return sign(typ, this.signer, payload, this.#sign);
  }

  // wrap wraps the keys by a passphrase: `wrappedPrivateKey`. Only for keys that are
  // new, or were opened with {keep: true}.
  async wrap(passphrase, count) {
    return jwe.wrap(this.#whole(), this.kid, passphrase, count);
  }

  // recovery makes a recovery copy and the shares of its key: {sealed, set, k, n,
  // shares: texts to print}.
  async recovery(k, n) {
    const set = this.#whole();
    const key = random(shares.keyBytes);
    try {
      const list = shares.split(key, this.kid, k, n);
      const head = { set: list[0].set, k, n };
      const sealed = await jwe.sealRecovery(set, this.kid, key, head);
      return { sealed, ...head, shares: await Promise.all(list.map(shares.print)) };
    } finally {
      key.fill(0);
    }
  }

  // readonly forgets what wrap and recovery need.
  readonly() {
    this.#set?.fill(0);
    this.#set = undefined;
  }

  // drop forgets everything.
  drop() {
    this.readonly();
    this.#decrypt = this.#unwrap = this.#sign = undefined;
  }
}

// makeKeys makes a tenant's keys. With signedBy, keys that were opened with
// {keep: true}, the signing key is theirs: what a rotation does.
export async function makeKeys({ bits = newBits, signedBy } = {}) {
  await supported();
  if (bits < newBits) throw badly(`must have at least ${newBits} bits`);
  const pair = await crypto.subtle.generateKey({ ...rsa, modulusLength: bits, publicExponent: Uint8Array.of(1, 0, 1) }, true, ["encrypt", "decrypt"]);
  const mine = await crypto.subtle.exportKey("jwk", pair.privateKey);
  const signing = signedBy ? setOf(signedBy).find((k) => k.kty === "OKP") : await makeSigner();
  if (!signing) throw new Problem("unsigned", "The keys before have no signing key: they are imported ones. Give them one first.");
  const { kid } = await publicKey({ kty: "RSA", n: mine.n, e: mine.e }, newBits);
  return opened(utf8(JSON.stringify({ keys: [mine, signing] })), kid, { keep: true });
}

const makeSigner = async () => crypto.subtle.exportKey("jwk", (await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"])).privateKey);

// opened makes Keys of a JWK set, whose bytes it keeps or wipes.
async function opened(set, kid, { keep = false } = {}) {
  try {
    const { keys } = readObject(set, jwe.maxWrapping);
    const content = () => badly("was opened, and holds no JWK set of an RSA key and a signing key");
    if (!Array.isArray(keys) || !keys.length || keys.length > 2 || keys.some((k) => !k || typeof k !== "object")) throw content();
    const mine = keys.filter((k) => k.kty === "RSA");
    const sign = keys.filter((k) => k.kty === "OKP");
    if (mine.length !== 1 || mine.length + sign.length !== keys.length) throw content();
    const out = await held(mine[0], sign[0]);
    if (keys.some((k) => k.kid !== undefined && k.kid !== out.public.kid && k.kid !== out.signer?.kid)) throw content();
    if (out.public.kid !== kid) throw new Problem("swapped", "What was unwrapped is another key than the one that it is listed as: the wrapping was swapped.");
    return new Keys({ ...out, set: keep ? utf8(JSON.stringify({ keys: whole(out, mine[0], sign[0]) })) : undefined });
  } finally {
    set.fill(0);
  }
}

// whole are the private JWKs as wrappings hold them, with their kids.
function whole(out, { n, e, d, p, q, dp, dq, qi }, sign) {
  const keys = [{ kty: "RSA", kid: out.public.kid, use: "enc", alg: "RSA-OAEP-256", n, e, d, p, q, dp, dq, qi }];
  if (sign) keys.push({ kty: "OKP", crv: "Ed25519", kid: out.signer.kid, use: "sig", alg: "EdDSA", x: sign.x, d: sign.d });
  return keys;
}

// held imports private JWKs so that they cannot be exported.
async function held(mine, sign) {
  const { n, e, d, p, q, dp, dq, qi } = mine;
  const pub = await publicKey({ kty: "RSA", n, e });
  consistent(pub.n, { e, d, p, q, dp, dq, qi });
  const jwk = { kty: "RSA", n, e, d, p, q, dp, dq, qi };
  const of = (use) => crypto.subtle.importKey("jwk", jwk, rsa, false, [use]);
  const out = { public: pub, decrypt: await of("decrypt"), unwrap: await of("unwrapKey") };
  if (!sign) return out;
  await supported();
  out.signer = await signingKey({ kty: "OKP", crv: "Ed25519", x: sign.x });
  out.sign = await crypto.subtle.importKey("jwk", { kty: "OKP", crv: "Ed25519", x: sign.x, d: sign.d }, "Ed25519", false, ["sign"]);
  const probe = random(32);
  const verifier = await crypto.subtle.importKey("raw", out.signer.x, "Ed25519", false, ["verify"]);
  if (!(await crypto.subtle.verify("Ed25519", verifier, await crypto.subtle.sign("Ed25519", out.sign, probe), probe))) throw unfit();
  return out;
}

const unfit = () => badly("was opened, and is no key: its parts do not fit together");

// consistent is what not every browser checks when it imports a key.
function consistent(n, parts) {
  const [e, d, p, q, dp, dq, qi] = ["e", "d", "p", "q", "dp", "dq", "qi"].map((name) => bigint(fromBase64url(parts[name])));
  if (p < 3n || q < 3n || p * q !== n || (e * d) % (p - 1n) !== 1n || (e * d) % (q - 1n) !== 1n || d % (p - 1n) !== dp || d % (q - 1n) !== dq || (qi * q) % p !== 1n) throw unfit();
}

// unwrap opens the wrapping of the key that a kid names, as GET /v1/tenant/key has
// it: the text of a JWE, or the object of an imported one. A wrong passphrase says so.
// {keep: true} where the keys are to be wrapped anew.
export async function unwrap(wrapped, kid, passphrase, options = {}) {
  if (typeof wrapped === "string" && !wrapped.trimStart().startsWith("{")) return opened(await jwe.unwrap(wrapped, kid, passphrase), kid, options);
  readImported(wrapped);
  return opened(await asSet(await unwrapImported(wrapped, passphrase)), kid, options);
}

// asSet makes a JWK set of what an older wrapping holds: one, a private JWK, or
// PKCS #8 in bytes, PEM or base64.
async function asSet(bytes) {
  let typed = "";
  try {
    typed = text(bytes).trim();
  } catch {
    typed = "";
  }
  const set = (jwk) => utf8(JSON.stringify({ keys: [jwk] }));
  if (typed.startsWith("{")) {
    const m = readObject(utf8(typed), jwe.maxWrapping);
    if (Array.isArray(m.keys)) return utf8(typed);
    const { kty, n, e, d, p, q, dp, dq, qi } = m;
    return set({ kty, n, e, d, p, q, dp, dq, qi });
  }
  try {
    const base64 = typed.replace(/-----[A-Z ]+-----/g, "").replace(/\s/g, "");
    const der = /^[A-Za-z0-9+/]+=*$/.test(base64) && typed ? Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)) : bytes;
    const key = await crypto.subtle.importKey("pkcs8", der, rsa, true, ["decrypt"]);
    const { kty, n, e, d, p, q, dp, dq, qi } = await crypto.subtle.exportKey("jwk", key);
    return set({ kty, n, e, d, p, q, dp, dq, qi });
  } catch {
    throw badly("was opened, and holds neither a JWK set nor a private JWK nor PKCS #8 of an RSA key");
  }
}

// restore opens a recovery copy of the key that a kid names by shares as they were
// typed in.
export async function restore(sealed, kid, typed, options = {}) {
  const copy = jwe.readRecovery(sealed, kid);
  const list = await Promise.all(typed.map(shares.parse));
  for (const s of list) {
    if (!shares.isFor(s, kid)) throw new Problem("shares", `Share ${s.x} of set ${s.set} is for another key.`);
    if (s.set !== copy.set || s.k !== copy.k || s.n !== copy.n) throw new Problem("shares", `Share ${s.x} is of set ${s.set} (${s.k} of ${s.n}), and the recovery copy of set ${copy.set} (${copy.k} of ${copy.n}).`);
  }
  const key = shares.combine(list);
  try {
    return await opened(await jwe.openRecovery(sealed, kid, key), kid, options);
  } finally {
    key.fill(0);
  }
}

// checkShares is what ends an onboarding: k shares, typed in from the sheets, must
// open the recovery copy.
export async function checkShares(sealed, kid, typed) {
  (await restore(sealed, kid, typed)).drop();
}

// rewrap is a new passphrase, or a first signing key's wrapping, for keys that there
// are: it opens with the old one and gives {wrapped, keys}; the keys answer the
// challenge that POST …/wrapping asks for, and are for the caller to drop.
export async function rewrap(wrapped, kid, passphrase, next, count) {
  const keys = await unwrap(wrapped, kid, passphrase, { keep: true });
  const out = await keys.wrap(next, count);
  keys.readonly();
  return { wrapped: out, keys };
}

// vouch gives an imported key its first signing key: keys to be wrapped and posted
// with `replaces` its own kid.
export async function vouch(keys) {
  await supported();
  const [mine, signing] = setOf(keys);
  if (signing) throw badly("has a signing key");
  return opened(utf8(JSON.stringify({ keys: [mine, await makeSigner()] })), keys.kid, { keep: true });
}

// onboarding is the body of POST /v1/tenant/key for new keys and their challenge.
// current, with `replaces`, are the open keys whose place they take.
export async function onboarding(keys, challenge, { wrappedPrivateKey, recovery, current }) {
  const statement = { tenant: challenge.tenant, createdAt: challenge.createdAt, predecessor: challenge.predecessor };
  const body = {
    publicKey: keys.publicKey, signingKey: keys.signingKey, signature: await keys.state(statement), wrappedPrivateKey,
    challengeId: challenge.challengeId, proof: await keys.answer(challenge),
  };
  if (recovery) body.recovery = recovery;
  if (!current) return body;
  body.replaces = current.kid;
  if (current.kid !== keys.kid) body.authorization = await current.authorize({ kid: keys.kid, signer: keys.signer, tenant: challenge.tenant });
  return body;
}

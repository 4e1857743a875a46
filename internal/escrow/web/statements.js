// What signing keys say of public keys: compact JWS (RFC 7515) by Ed25519, of two
// types, so that the one can never be taken for the other.

import { fromBase64url, toBase64url, utf8 } from "./bytes.js";
import { header, is, split, textOf } from "./jwe.js";
import { publicKey, signingKey } from "./jwk.js";
import { readObject } from "./json.js";
import { badly, Problem } from "./problem.js";

const maxStatement = 4 << 10;
export const typeStatement = "portreeve-escrow-key";
export const typeSuccession = "portreeve-escrow-successor";

const members = { [typeStatement]: ["kid", "tenant", "createdAt", "predecessor"], [typeSuccession]: ["kid", "signer", "tenant", "predecessor"] };

// read reads a statement of a type without verifying it: {signer, payload, signed, signature}.
function read(compact, typ) {
  const parts = split(compact, 3, maxStatement);
  const head = header(parts[0], { alg: is("EdDSA"), typ: is(typ), kid: textOf(64) });
  if (parts[2].length !== 64) throw badly("must have a signature of 64 bytes");
  const payload = readObject(parts[1], maxStatement);
  const names = members[typ];
  const good = Object.keys(payload).length === names.length &&
    names.every((name) => (typeof payload[name] === "string" && payload[name] !== "") || (name === "predecessor" && payload[name] === null && typ === typeStatement));
  if (!good) throw badly(`must have a payload of exactly ${names.join(", ")}, texts all of them, null for a predecessor that there is none of`);
  return { signer: head.kid, payload, signed: utf8(compact.slice(0, compact.lastIndexOf("."))), signature: parts[2] };
}

async function verify(compact, typ, by) {
  const s = read(compact, typ);
  const key = await crypto.subtle.importKey("raw", by.x, "Ed25519", false, ["verify"]);
  if (s.signer !== by.kid || !(await crypto.subtle.verify("Ed25519", key, s.signature, s.signed))) {
    throw badly("must be signed by the signing key, and name its thumbprint as kid");
  }
  return s.payload;
}

// verifyStatement reads a `signature` by a signing key, a public JWK.
export const verifyStatement = async (compact, signer) => verify(compact, typeStatement, await signingKey(signer));

// verifySuccession reads an `authorization` by a signing key.
export const verifySuccession = async (compact, signer) => verify(compact, typeSuccession, await signingKey(signer));

// sign makes one of them; privately is the private CryptoKey of the signer.
export async function sign(typ, signer, payload, privately) {
  const head = toBase64url(utf8(JSON.stringify({ alg: "EdDSA", typ, kid: signer })));
  const body = toBase64url(utf8(JSON.stringify(payload)));
  const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", privately, utf8(`${head}.${body}`)));
  const compact = `${head}.${body}.${toBase64url(signature)}`;
  read(compact, typ);
  return compact;
}

const unsigned = () => new Problem("unsigned", "The key has no signature: it was substituted, or it is an imported key that was not signed yet.");
const unpinned = () => new Problem("unpinned", "The key is not signed by the pinned signing key: it was substituted, or the tenant has a new signing key.");
const rollback = () => new Problem("rollback", "The key is older than the one that was seen before: it was rolled back.");

const moment = (text) => {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text ?? "") || Number.isNaN(Date.parse(text))) throw badly("has a createdAt that is no time as it is described");
  return Date.parse(text);
};

// verifyKey holds a key, as the server says it (publicKey, signingKey, signature,
// createdAt, predecessor, and the id of the tenant it is served for), against the
// tenant that is meant, a pin (the thumbprint of the signing key) and what was seen
// the last time ({kid, signer, createdAt}).
export async function verifyKey(key, { tenant, pin, seen } = {}) {
  const own = await publicKey(key.publicKey);
  const signer = key.signingKey ? await signingKey(key.signingKey) : null;
  if (!signer && (pin || seen?.signer)) throw unsigned();
  if (pin && signer.kid !== pin) throw unpinned();
  if (signer) {
    const s = await verifyStatement(key.signature, signer.jwk);
    const said = { kid: own.kid, tenant, createdAt: key.createdAt, predecessor: key.predecessor ?? null };
    for (const name of members[typeStatement]) {
      if (s[name] !== said[name]) throw new Problem("swapped", `The signature of the key is over another ${name} than the server says: the key was substituted.`);
    }
  }
  if (seen) {
    const then = moment(seen.createdAt);
    const now = moment(key.createdAt);
    if (now < then || (now === then && seen.kid !== own.kid)) throw rollback();
  }
  return { kid: own.kid, signer: signer?.kid ?? null, createdAt: key.createdAt };
}

// verifyChain verifies the keys of GET /v1/tenant/key: each signed, each that took
// the place of another authorized by that one, the first of them the newest. With a
// pin, the first hangs on a key of that signer by authorizations without a gap.
export async function verifyChain(keys, { tenant, pin, seen } = {}) {
  if (!keys.length) throw badly("has no keys");
  const known = new Map();
  for (const key of keys) known.set((await publicKey(key.publicKey)).kid, { key, ...(await verifyKey(key, { tenant })) });
  const list = [...known.values()];
  for (const { key, kid, signer } of list) {
    if (moment(key.createdAt) > moment(list[0].createdAt)) throw rollback();
    if (!key.predecessor) continue;
    const before = known.get(key.predecessor);
    if (!before) throw new Problem("rotation", `The key before ${kid} is missing.`);
    if (moment(before.createdAt) > moment(key.createdAt)) throw rollback();
    if (!before.signer || !key.authorization) throw new Problem("rotation", "The key took the place of another without that one's authorization: the rotation is not signed.");
    const s = await verifySuccession(key.authorization, before.key.signingKey);
    const said = { kid, signer, tenant, predecessor: key.predecessor };
    for (const name of members[typeSuccession]) if (s[name] !== said[name]) throw new Problem("rotation", `The authorization of the key is over another ${name}: the rotation is not signed.`);
  }
  await verifyKey(keys[0], { tenant, seen });
  for (let at = list[0], n = 0; pin; at = known.get(at.key.predecessor), n++) {
    if (!at || n > list.length) throw unpinned();
    if (!at.signer) throw unsigned();
    if (at.signer === pin) break;
  }
  return list.map(({ kid, signer, createdAt }) => ({ kid, signer, createdAt }));
}

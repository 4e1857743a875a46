// Two readers of secret escrow's formats: the browser module, run by Node, and jose.
// A request on standard input: {module, exercise: paths, good, hostile: vectors,
// keys: private JWK sets, what}. what "make": what both make; "check": what went
// wrong. jose refuses a p2c above 10,000 unless maxPBES2Count is raised.
import * as jose from "jose";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const asked = JSON.parse(readFileSync(0, "utf8"));
const escrow = await import(pathToFileURL(asked.module));
const { exercise } = await import(pathToFileURL(asked.exercise));
const { good, keys } = asked;
const limits = { maxPBES2Count: 1_000_000 };
const nfkc = (text) => new TextEncoder().encode(text.normalize("NFKC"));
const text = (bytes) => new TextDecoder().decode(bytes);

// opens is what jose makes of everything that is good.
async function opens({ sealed, wrapped, recovery, chains }) {
  const failures = [];
  const test = async (name, fn) => {
    try {
      if (!(await fn())) failures.push(`jose, ${name}: something else came out`);
    } catch (e) {
      failures.push(`jose, ${name}: ${e.stack}`);
    }
  };
  const sets = new Map(keys.map((k) => [k.kid, k.set]));
  const holds = (plaintext, kid) => JSON.parse(text(plaintext)).keys.some((k) => k.kid === kid && k.d);
  for (const s of sealed.filter((s) => s.bound)) {
    await test(`sealed by ${s.by}, ${s.name}`, async () => {
      const mine = await jose.importJWK({ ...sets.get(s.answer.kid).keys[0], key_ops: undefined }, "RSA-OAEP-256");
      const { plaintext, protectedHeader: h } = await jose.compactDecrypt(s.answer.ciphertext, mine, { keyManagementAlgorithms: ["RSA-OAEP-256"], contentEncryptionAlgorithms: ["A256GCM"] });
      return text(plaintext) === s.secret && h.tenant === s.answer.tenant && h.kind === s.answer.kind;
    });
  }
  for (const w of wrapped.filter((w) => !w.wrapped.startsWith("{"))) {
    await test(`wrapped by ${w.by}, ${w.name}`, async () => {
      const { plaintext } = await jose.compactDecrypt(w.wrapped, nfkc(w.passphrase), { ...limits, keyManagementAlgorithms: ["PBES2-HS512+A256KW"] });
      return holds(plaintext, w.kid);
    });
  }
  for (const r of recovery) {
    await test(`recovery by ${r.by}, ${r.name}`, async () => {
      const list = await Promise.all(r.shares.map(escrow.parseShare));
      const { plaintext } = await jose.compactDecrypt(r.sealed, escrow.combineShares(list), { keyManagementAlgorithms: ["dir"] });
      return holds(plaintext, r.kid);
    });
  }
  for (const c of chains) {
    for (const k of c.keys.filter((k) => k.signature)) {
      await test(`signed by ${c.by}, ${c.name}`, async () => {
        const { payload } = await jose.compactVerify(k.signature, await jose.importJWK(k.signingKey, "EdDSA"), { algorithms: ["EdDSA"] });
        return JSON.parse(text(payload)).kid === (await jose.calculateJwkThumbprint(k.publicKey));
      });
    }
  }
  return failures;
}

// makes is one of everything by jose.
async function makes() {
  const [{ kid, set }] = keys;
  const [{ answer }] = good.sealed;
  const { kty, n, e } = set.keys[0];
  const to = await jose.importJWK({ kty, n, e }, "RSA-OAEP-256");
  const secret = "sealed by jose";
  const ciphertext = await new jose.CompactEncrypt(new TextEncoder().encode(secret))
    .setProtectedHeader({ alg: "RSA-OAEP-256", enc: "A256GCM", typ: "JWE", kid, tenant: answer.tenant, machine: answer.machine.id, kind: answer.kind }).encrypt(to);
  const whole = new TextEncoder().encode(JSON.stringify(set));
  const passphrase = "a passphrase of jose's";
  const wrapped = await new jose.CompactEncrypt(whole).setProtectedHeader({ alg: "PBES2-HS512+A256KW", enc: "A256GCM", cty: "jwk-set+json" })
    .setKeyManagementParameters({ p2c: 654_321, p2s: crypto.getRandomValues(new Uint8Array(16)) }).encrypt(nfkc(passphrase));
  const key = crypto.getRandomValues(new Uint8Array(32));
  const list = escrow.splitKey(key, kid, 2, 4);
  const sealed = await new jose.CompactEncrypt(whole).setProtectedHeader({ alg: "dir", enc: "A256GCM", typ: "portreeve-escrow-recovery", kid, set: list[0].set, k: 2, n: 4 }).encrypt(key);
  return {
    sealed: [{ name: "a JWE", by: "jose", answer: { ...answer, kid, ciphertext }, secret, bound: true }],
    wrapped: [{ name: "a wrapping", by: "jose", kid, wrapped, passphrase }],
    recovery: [{ name: "a recovery copy", by: "jose", kid, sealed, shares: await Promise.all(list.map(escrow.printShare)) }],
    chains: [],
  };
}

const theirs = await makes();
const all = Object.fromEntries(Object.entries(good).map(([name, list]) => [name, [...list, ...theirs[name]]]));
const { failures, made } = await exercise(escrow, { good: all, hostile: asked.hostile ?? [] });
failures.push(...(await opens(all)), ...(await opens(made)));
const names = Object.keys(made);
process.stdout.write(JSON.stringify({ failures, made: Object.fromEntries(names.map((name) => [name, [...made[name], ...theirs[name]]])) }));

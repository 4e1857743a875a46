// What is asked of the browser module, in Node and in Chromium alike. It gives what
// went wrong, as texts, and what it made, for others to open.

const utf8 = (text) => new TextEncoder().encode(text);
const plain = (bytes) => new TextDecoder("utf-8", { fatal: true }).decode(bytes);

// spies counts what touches a key or a passphrase while fn runs.
async function spies(fn) {
  const counted = ["deriveKey", "deriveBits", "decrypt", "unwrapKey"];
  const subtle = SubtleCrypto.prototype;
  const real = Object.fromEntries(counted.map((name) => [name, subtle[name]]));
  let n = 0;
  for (const name of counted) subtle[name] = function (...args) { n++; return real[name].apply(this, args); };
  try {
    return [await fn(), n];
  } finally {
    Object.assign(subtle, real);
  }
}

export async function exercise(escrow, { good, hostile }, { rounds = 1 } = {}) {
  const failures = [];
  const test = async (name, fn) => {
    try {
      const wrong = await fn();
      if (wrong) failures.push(`${name}: ${wrong}`);
    } catch (e) {
      failures.push(`${name}: ${e.stack ?? e}`);
    }
  };

  const lacks = await escrow.support();
  if (lacks.length) failures.push(...lacks);

  // Everything that is good opens.
  const keys = new Map();
  for (const w of good.wrapped) {
    await test(`wrapped by ${w.by}, ${w.name}`, async () => {
      const k = await escrow.unwrap(w.wrapped, w.kid, w.passphrase);
      if (!keys.has(k.kid)) keys.set(k.kid, k);
      return k.kid === w.kid ? "" : "another key";
    });
  }
  for (const s of good.sealed) {
    await test(`sealed by ${s.by}, ${s.name}`, async () => {
      const o = await keys.get(s.answer.kid).reveal(s.answer);
      return plain(o.secret) === s.secret && o.bound === s.bound ? "" : "something else came out";
    });
  }
  for (const r of good.recovery) {
    await test(`shared by ${r.by}, ${r.name}`, async () => {
      const { k } = await escrow.parseShare(r.shares[0]);
      for (const some of [r.shares, r.shares.slice(-k), r.shares.slice(0, k).map((s) => ` ${s.toLowerCase().replaceAll("-", " ")} `)]) await escrow.checkShares(r.sealed, r.kid, some);
    });
  }
  for (const c of good.chains) await test(`signed by ${c.by}, ${c.name}`, async () => void (await escrow.verifyChain(c.keys, c)));

  // Everything that is hostile does not, for the right reason, and before a key or a
  // passphrase is touched where that is said.
  const readers = {
    public: (h) => escrow.publicKey(h.text, h.least),
    signer: (h) => escrow.signingKey(h.text),
    share: (h) => escrow.parseShare(h.text ?? ""),
    statement: (h) => escrow.verifyStatement(h.text, h.signer),
    succession: (h) => escrow.verifySuccession(h.text, h.signer),
    sealed: (h) => keys.get(h.sealed.name).reveal(h.sealed.answer),
    challenge: (h) => keys.get(h.sealed.name).answer(h.sealed.answer),
    wrapping: (h) => escrow.unwrap(h.wrapped.wrapped, h.wrapped.kid, h.wrapped.passphrase),
    recovery: (h) => escrow.restore(h.recovery.sealed, h.recovery.kid, h.recovery.shares ?? []),
    chain: (h) => escrow.verifyChain(h.chain.keys, h.chain),
  };
  for (const h of hostile) {
    await test(`hostile ${h.reader}, ${h.name}`, async () => {
      const [problem, n] = await spies(() => readers[h.reader](h).then(() => null, (e) => e));
      if (!problem) return "it is taken";
      if (!(problem instanceof escrow.Problem)) return problem.stack;
      if (problem.code !== h.code) return `${problem.code} (${problem.message}), not ${h.code}`;
      if (h.before && n) return `${n} operations before it is refused`;
      const passphrase = h.wrapped?.passphrase;
      return passphrase && problem.message.includes(passphrase) ? "the passphrase is quoted" : "";
    });
  }

  // What it makes itself.
  const by = "browser";
  const made = { sealed: [], wrapped: [], recovery: [], chains: [] };
  const [someone] = good.sealed;
  const first = keys.get(someone.answer.kid);
  const { tenant, kind, machine } = someone.answer;
  const secret = "Öffne dich: 0123-4567 \u{1f5dd}";
  for (const k of new Set(good.wrapped.filter((w) => w.by === "go").map((w) => keys.get(w.kid)))) {
    await test(`seals to ${k.kid}`, async () => {
      const answer = { kid: k.kid, tenant, kind, machine };
      made.sealed.push({ name: "a JWE", by, answer: { ...answer, ciphertext: await escrow.seal(k.publicKey, { tenant, machine: machine.hostname, kind }, utf8(secret)) }, secret, bound: true });
      made.sealed.push({ name: "RSA-OAEP alone", by, answer: { ...answer, ciphertext: await escrow.sealRaw(k.publicKey, utf8(secret)) }, secret, bound: false });
    });
  }
  await test("wraps anew", async () => {
    for (const w of good.wrapped.filter((w) => w.by === "go").slice(0, 2).concat(good.wrapped.find((w) => w.name.startsWith("imported")))) {
      const next = `${w.passphrase}, the next ﬁne one`;
      const { wrapped, keys: open } = await escrow.rewrap(w.wrapped, w.kid, w.passphrase, next);
      made.wrapped.push({ name: w.name, by, kid: w.kid, wrapped, passphrase: next });
      open.drop();
      if (await open.reveal(someone.answer).then(() => true, (e) => e.code !== "locked")) return "keys that were dropped open";
    }
  });
  await test("a first set-up and a rotation", async () => {
    const one = await escrow.makeKeys();
    const createdAt = ["2026-01-02T03:04:05.000Z", "2026-01-02T03:04:05.001Z"];
    const half = "\x07".repeat(16);
    const asked = async (kid) => new Uint8Array([...utf8(half), ...new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(`portreeve-escrow-challenge\0${kid}${half}`))).subarray(0, 16)]);
    const challenge = async (k, i, predecessor) => ({ challengeId: "chl_1", kid: k.kid, tenant, createdAt: createdAt[i], predecessor, ciphertext: await escrow.sealRaw(k.publicKey, await asked(k.kid)) });
    const { sealed, shares } = await one.recovery(3, 5);
    const wrappedPrivateKey = await one.wrap("six words that are not words");
    const body = await escrow.onboarding(one, await challenge(one, 0, null), { wrappedPrivateKey, recovery: sealed });
    if (body.proof !== btoa(String.fromCharCode(...(await asked(one.kid))))) return "a wrong proof";
    made.wrapped.push({ name: "made", by, kid: one.kid, wrapped: wrappedPrivateKey, passphrase: "six words that are not words" });
    made.recovery.push({ name: "made", by, kid: one.kid, sealed, shares });
    const two = await escrow.makeKeys({ signedBy: one });
    if (two.signer !== one.signer || two.kid === one.kid) return "the rotation does not keep the signing key";
    const next = await escrow.onboarding(two, await challenge(two, 1, one.kid), { wrappedPrivateKey: await two.wrap("six words that are not words"), current: one });
    const listed = (b, i, predecessor) => ({ publicKey: b.publicKey, signingKey: b.signingKey, signature: b.signature, authorization: b.authorization ?? null, createdAt: createdAt[i], predecessor });
    made.chains.push({ name: "made", by, tenant, pin: one.signer, keys: [listed(next, 1, one.kid), listed(body, 0, null)] });
    await escrow.verifyChain(made.chains[0].keys, made.chains[0]);
    if (JSON.stringify([body, next]).match(/"(?:d|p|q|dp|dq|qi)":/)) return "a private member is in a body";
  });
  await test("an imported key gets a signing key", async () => {
    const w = good.wrapped.find((w) => w.name.startsWith("imported"));
    const old = await escrow.unwrap(w.wrapped, w.kid, w.passphrase, { keep: true });
    if (old.signer || !old.weak) return "the imported key is not as it was";
    const k = await escrow.vouch(old);
    made.wrapped.push({ name: "vouched", by, kid: k.kid, wrapped: await k.wrap("a passphrase of the vectors"), passphrase: "a passphrase of the vectors" });
    return k.signer && k.kid === old.kid ? "" : "it has none";
  });
  for (let i = 0; i < rounds; i++) {
    await test("shares", async () => {
      for (let n = 2; n <= 16; n++) {
        for (let k = 2; k <= n; k++) {
          const key = crypto.getRandomValues(new Uint8Array(32));
          const list = escrow.splitKey(key, first.kid, k, n);
          const back = escrow.combineShares(list.sort(() => (i % 2 ? -1 : 1)).slice(-k));
          if (back.some((b, j) => b !== key[j])) return `${k} of ${n} restore another key`;
        }
      }
    });
  }
  await test("nothing can be taken out", async () => {
    if (JSON.stringify(first).match(/"(?:d|p|q|dp|dq|qi)":/)) return "the keys show in JSON";
    return (await first.wrap("anything").then(() => "keys open for reading can be wrapped", (e) => (e.code === "locked" ? "" : e.message)));
  });
  await test("the vault", async () => {
    let now = 0;
    let dropped = 0;
    const page = new EventTarget();
    const vault = new escrow.Vault({ page, now: () => now, onDrop: () => dropped++ });
    const [w] = good.wrapped;
    const hold = async () => vault.hold(await escrow.unwrap(w.wrapped, w.kid, w.passphrase));
    await hold();
    now = 299_999;
    const k = vault.keysOf(w.kid);
    if (!k?.open) return "dropped too soon";
    now += 300_000;
    if (vault.keysOf(w.kid) || k.open || dropped !== 1) return "not dropped after five minutes";
    await hold();
    const other = vault.keysOf(w.kid);
    page.dispatchEvent(new Event("pagehide"));
    return other.open || dropped !== 2 ? "not dropped when the page is left" : "";
  });
  return { failures, made };
}

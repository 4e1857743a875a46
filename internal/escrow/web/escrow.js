// Secret escrow in the browser: everything that pages need, and nothing that sends
// anything. Web Cryptography alone; docs/escrow-formats.md says what all of it
// looks like.

export { Problem } from "./problem.js";
export { publicKey, signingKey } from "./jwk.js";
export { leastCount, mostCount, readRecovery, readSealed, readWrapping, seal, sealRaw } from "./jwe.js";
export { readImported } from "./imported.js";
export { verifyChain, verifyKey, verifyStatement, verifySuccession } from "./statements.js";
export { checkShares, Keys, makeKeys, onboarding, restore, rewrap, support, unwrap, vouch } from "./keys.js";
export { combine as combineShares, parse as parseShare, print as printShare, split as splitKey } from "./shares.js";
export { check as checkPassphrase, generate as generatePassphrase, loadWords, normalize as normalizePassphrase } from "./passphrase.js";
export { readRanks } from "./strength.js";
export { Vault } from "./vault.js";

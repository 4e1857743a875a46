// Where a page holds keys that are open: in memory, and not for long. They are
// dropped after five minutes in which nobody used them, and when the page is left.

export const idle = 5 * 60 * 1000;

export class Vault {
  #held = new Map();
  #used = 0;
  #timer;
  #now;
  #onDrop;

  // page is what says "pagehide"; onDrop is told when there is nothing left.
  constructor({ page = globalThis, now = () => Date.now(), onDrop = () => {} } = {}) {
    this.#now = now;
    this.#onDrop = onDrop;
    page.addEventListener?.("pagehide", () => this.drop());
  }

  // hold takes keys, for reading alone.
  hold(keys) {
    keys.readonly();
    if (this.#held.get(keys.kid) !== keys) this.#held.get(keys.kid)?.drop();
    this.#held.set(keys.kid, keys);
    this.touch();
  }

  // keysOf are the open keys of a kid, undefined where the passphrase is needed. It
  // goes by the clock too: a machine that slept ran no timer.
  keysOf(kid) {
    if (this.#held.size && this.#now() - this.#used >= idle) this.drop();
    if (this.#held.size) this.touch();
    return this.#held.get(kid);
  }

  // touch says that somebody is there.
  touch() {
    this.#used = this.#now();
    clearTimeout(this.#timer);
    if (this.#held.size) this.#timer = setTimeout(() => this.drop(), idle);
    this.#timer?.unref?.(); // in Node a timer would keep the process
  }

  drop() {
    clearTimeout(this.#timer);
    if (!this.#held.size) return;
    for (const keys of this.#held.values()) keys.drop();
    this.#held.clear();
    this.#onDrop();
  }
}

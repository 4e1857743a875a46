// What Actions expect of their surroundings and ECMAScript does not have. Reads
// as a page of definitions; everything that leaves the process goes through host.
(function (host) {
  "use strict";
  const { parse, stringify } = JSON;
  const define = (name, value) => Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
  const toBytes = (data) => {
    if (typeof data === "string") return host.encode(data);
    if (data instanceof ArrayBuffer) return data;
    if (ArrayBuffer.isView(data)) return data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
    throw new TypeError("text or bytes are wanted");
  };

  // console
  const show = (value) => {
    if (typeof value === "string") return value;
    if (value instanceof Error) return String(value.stack || value);
    if (typeof value === "object" && value !== null) {
      try { return stringify(value); } catch (e) { return "[object]"; }
    }
    return String(value);
  };
  const log = (...values) => host.log(values.map(show).join(" "));
  define("console", { log, info: log, warn: log, error: log, debug: log, trace: log });

  // URLSearchParams, URL
  const plus = (s) => encodeURIComponent(s).replace(/%20/g, "+").replace(/[!'()~]/g, (c) => "%" + c.charCodeAt(0).toString(16).toUpperCase());
  const unplus = (s) => { try { return decodeURIComponent(s.replace(/\+/g, " ")); } catch (e) { return s; } };
  class URLSearchParams {
    constructor(init = "", changed = () => {}) {
      this._list = []; this._changed = changed;
      for (const hidden of ["_list", "_changed"]) Object.defineProperty(this, hidden, { enumerable: false });
      if (typeof init === "string") {
        for (const pair of init.replace(/^\?/, "").split("&")) {
          if (pair === "") continue;
          const at = pair.indexOf("=");
          this._list.push(at < 0 ? [unplus(pair), ""] : [unplus(pair.slice(0, at)), unplus(pair.slice(at + 1))]);
        }
      } else if (init && typeof init[Symbol.iterator] === "function") {
        for (const [k, v] of init) this._list.push([String(k), String(v)]);
      } else if (init) {
        for (const k of Object.keys(init)) this._list.push([k, String(init[k])]);
      }
    }
    append(k, v) { this._list.push([String(k), String(v)]); this._changed(); }
    delete(k) { this._list = this._list.filter(([n]) => n !== String(k)); this._changed(); }
    get(k) { const f = this._list.find(([n]) => n === String(k)); return f ? f[1] : null; }
    getAll(k) { return this._list.filter(([n]) => n === String(k)).map(([, v]) => v); }
    has(k) { return this._list.some(([n]) => n === String(k)); }
    set(k, v) {
      const i = this._list.findIndex(([n]) => n === String(k));
      if (i < 0) this._list.push([String(k), String(v)]);
      else this._list = this._list.filter(([n], j) => j <= i || n !== String(k)).map((p, j) => (j === i ? [p[0], String(v)] : p));
      this._changed();
    }
    sort() { this._list.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)); this._changed(); }
    forEach(f, self) { for (const [k, v] of this._list) f.call(self, v, k, this); }
    keys() { return this._list.map(([k]) => k)[Symbol.iterator](); }
    values() { return this._list.map(([, v]) => v)[Symbol.iterator](); }
    entries() { return this._list.map((p) => p.slice())[Symbol.iterator](); }
    [Symbol.iterator]() { return this.entries(); }
    get size() { return this._list.length; }
    toString() { return this._list.map(([k, v]) => plus(k) + "=" + plus(v)).join("&"); }
  }
  define("URLSearchParams", URLSearchParams);
  class URL {
    constructor(url, base) {
      const parts = host.url(String(url), base === undefined ? undefined : String(base));
      if (parts === null) throw new TypeError("Invalid URL");
      for (const k of ["protocol", "username", "password", "hostname", "port", "pathname", "search", "hash"]) this[k] = parts[k];
      const params = new URLSearchParams(parts.search, () => { const s = params.toString(); this.search = s === "" ? "" : "?" + s; });
      Object.defineProperty(this, "searchParams", { value: params, enumerable: true });
    }
    get host() { return this.hostname + (this.port === "" ? "" : ":" + this.port); }
    get origin() { return this.protocol + "//" + this.host; }
    get href() {
      const who = this.username === "" && this.password === "" ? "" : this.username + (this.password === "" ? "" : ":" + this.password) + "@";
      return this.protocol + (this.hostname === "" ? "" : "//" + who + this.host) + this.pathname + this.search + this.hash;
    }
    toString() { return this.href; }
    toJSON() { return this.href; }
    static canParse(url, base) { return host.url(String(url), base === undefined ? undefined : String(base)) !== null; }
  }
  define("URL", URL);

  // text and bytes
  define("TextEncoder", class TextEncoder {
    get encoding() { return "utf-8"; }
    encode(s = "") { return new Uint8Array(host.encode(String(s))); }
  });
  define("TextDecoder", class TextDecoder {
    constructor(label = "utf-8") { if (!/^utf-?8$/i.test(String(label))) throw new RangeError("utf-8 alone is decoded"); }
    get encoding() { return "utf-8"; }
    decode(b) { return b === undefined ? "" : host.decode(toBytes(b)); }
  });
  define("btoa", (s) => {
    s = String(s);
    const b = new Uint8Array(s.length);
    for (let i = 0; i < s.length; i++) {
      const c = s.charCodeAt(i);
      if (c > 255) throw new TypeError("btoa takes Latin-1");
      b[i] = c;
    }
    return host.base64(b.buffer, "");
  });
  define("atob", (s) => {
    let out = "";
    for (const c of new Uint8Array(host.unbase64(String(s)))) out += String.fromCharCode(c);
    return out;
  });
  define("structuredClone", (v) => (v === undefined ? undefined : parse(stringify(v))));
  define("queueMicrotask", (f) => { Promise.resolve().then(f); });

  // crypto
  const hex = (buffer) => { let s = ""; for (const b of new Uint8Array(buffer)) s += (b < 16 ? "0" : "") + b.toString(16); return s; };
  const written = (buffer, as) => {
    switch (as) {
      case "hex": return hex(buffer);
      case "base64": return host.base64(buffer, "");
      case "base64url": return host.base64(buffer, "url");
      case undefined: return new Uint8Array(buffer);
    }
    throw new TypeError("hex, base64 or base64url");
  };
  const randomUUID = () => {
    const b = new Uint8Array(host.random(16));
    b[6] = (b[6] & 15) | 64; b[8] = (b[8] & 63) | 128;
    return hex(b.buffer).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  };
  const getRandomValues = (into) => {
    new Uint8Array(into.buffer, into.byteOffset, into.byteLength).set(new Uint8Array(host.random(into.byteLength)));
    return into;
  };
  const digest = (name, key) => {
    let all = new Uint8Array(0);
    host.hash(name, all.buffer, key); // an unknown name is told at once
    return {
      update(data) {
        const more = new Uint8Array(toBytes(data)), both = new Uint8Array(all.length + more.length);
        both.set(all); both.set(more, all.length); all = both;
        return this;
      },
      digest(as) { return written(host.hash(name, all.buffer, key), as); },
    };
  };
  const crypto = {
    randomUUID, getRandomValues,
    randomBytes: (n) => { const b = new Uint8Array(host.random(n)); b.toString = (as) => written(b.buffer, as || "hex"); return b; },
    createHash: (name) => digest(String(name)),
    createHmac: (name, key) => digest(String(name), toBytes(key)),
    timingSafeEqual: (a, b) => host.same(toBytes(a), toBytes(b)),
  };
  define("crypto", { randomUUID, getRandomValues });

  // fetch
  class Headers {
    constructor(init) {
      this._list = [];
      Object.defineProperty(this, "_list", { enumerable: false });
      if (!init) return;
      const pairs = init instanceof Headers ? init._list : Array.isArray(init) ? init : Object.keys(init).map((k) => [k, init[k]]);
      for (const [k, v] of pairs) this.append(k, v);
    }
    append(k, v) { this._list.push([String(k).toLowerCase(), String(v).trim()]); }
    set(k, v) { this.delete(k); this.append(k, v); }
    delete(k) { this._list = this._list.filter(([n]) => n !== String(k).toLowerCase()); }
    has(k) { return this._list.some(([n]) => n === String(k).toLowerCase()); }
    get(k) { const f = this._list.filter(([n]) => n === String(k).toLowerCase()).map(([, v]) => v); return f.length ? f.join(", ") : null; }
    forEach(f, self) { for (const [k, v] of this._list) f.call(self, v, k, this); }
    entries() { return this._list.map((p) => p.slice())[Symbol.iterator](); }
    keys() { return this._list.map(([k]) => k)[Symbol.iterator](); }
    values() { return this._list.map(([, v]) => v)[Symbol.iterator](); }
    [Symbol.iterator]() { return this.entries(); }
  }
  define("Headers", Headers);
  class Response {
    constructor(got) {
      this.status = got.status; this.ok = got.status >= 200 && got.status < 300; this.statusText = ""; this.url = got.url;
      this.redirected = got.redirected; this.type = "basic"; this.headers = new Headers(got.headers); this.bodyUsed = false;
      Object.defineProperty(this, "_body", { value: got.body, enumerable: false });
    }
    async text() {
      if (this.bodyUsed) throw new TypeError("the body is read already");
      this.bodyUsed = true;
      return this._body;
    }
    async json() { return parse(await this.text()); }
    async arrayBuffer() { return host.encode(await this.text()); }
  }
  define("Response", Response);
  define("fetch", async (input, init = {}) => {
    const headers = new Headers(init.headers);
    let body = init.body;
    if (body instanceof URLSearchParams) {
      if (!headers.has("content-type")) headers.set("content-type", "application/x-www-form-urlencoded;charset=UTF-8");
      body = body.toString();
    } else if (typeof body === "string") {
      if (!headers.has("content-type")) headers.set("content-type", "text/plain;charset=UTF-8");
    } else if (body !== undefined && body !== null) {
      body = host.decode(toBytes(body));
    }
    const url = input instanceof URL ? input.href : String(input);
    return new Response(parse(await host.fetch({
      url, method: init.method === undefined ? "GET" : String(init.method), headers: headers._list,
      body: body === undefined || body === null ? null : body, redirect: init.redirect === undefined ? "follow" : String(init.redirect),
    })));
  });

  // require
  const modules = { crypto, url: { URL, URLSearchParams }, util: { TextEncoder: globalThis.TextEncoder, TextDecoder: globalThis.TextDecoder } };
  const require = (name) => {
    const key = String(name).replace(/^node:/, "");
    if (Object.prototype.hasOwnProperty.call(modules, key)) return modules[key];
    throw new Error("require(" + stringify(String(name)) + "): there are crypto, url and util; nothing else can be loaded");
  };
  return { require, start: async (handler, event, api) => { await handler(event, api); }, nothing: () => {} };
})

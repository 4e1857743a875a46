// <portreeve-sms campaign="spring"></portreeve-sms>: a form that texts a link to the app.
// Attributes: campaign, endpoint, and the texts below. Colours: --sms-accent, --sms-on-accent.
(() => {
  const home = document.currentScript && new URL(document.currentScript.src).origin;
  const words = {
    label: "Mobile number", button: "Text me the app", hint: "", sending: "Sending…",
    sent: "Sent. Look at your phone.",
    invalid: "That number cannot get a text.",
    limited: "That was too often. Try again later.",
    failed: "That did not work. Try again later.",
  };
  const style = `
:host{display:block;font:inherit;color:inherit;max-width:26rem}:host([hidden]){display:none}
form{margin:0}label{display:block;font-weight:600;margin:0 0 .4em}
div{display:flex;flex-wrap:wrap;gap:.5em}
input,button{font:inherit;line-height:1.4;min-height:2.75em;box-sizing:border-box;border-radius:.5em;padding:.4em .9em}
input{flex:1 1 11em;min-width:0;color:inherit;background:transparent;border:1px solid currentColor}
button{cursor:pointer;font-weight:600;border:1px solid transparent;background:var(--sms-accent,#1d4ed8);color:var(--sms-on-accent,#fff)}
button[aria-disabled=true]{cursor:default;opacity:.75}
:is(input,button):focus-visible{outline:3px solid currentColor;outline-offset:2px}
p{margin:.5em 0 0;min-height:1.4em}`;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style);
  class Sms extends HTMLElement {
    connectedCallback() {
      if (this.shadowRoot) return;
      const root = this.attachShadow({ mode: "open", delegatesFocus: true });
      root.adoptedStyleSheets = [sheet];
      const make = (tag, into, set) => into.appendChild(Object.assign(document.createElement(tag), { part: tag }, set));
      const form = make("form", root, { noValidate: true });
      make("label", form, { htmlFor: "to", textContent: this.word("label") });
      const row = make("div", form, { part: "field" });
      this.to = make("input", row, { id: "to", type: "tel", autocomplete: "tel", required: true, maxLength: 64 });
      this.button = make("button", row, { textContent: this.word("button") });
      make("slot", form, {}); // a bot check of the page's
      this.status = make("p", form, { id: "status", part: "status", textContent: this.word("hint") });
      this.status.setAttribute("role", "status");
      this.to.setAttribute("aria-describedby", "status");
      form.addEventListener("submit", (e) => { e.preventDefault(); this.send(); });
    }
    word(name) { return this.getAttribute(name) ?? words[name]; }
    say(name) {
      const bad = name === "invalid";
      this.status.textContent = this.word(name);
      this.to.setAttribute("aria-invalid", bad);
      if (bad) this.to.focus();
    }
    async send() {
      if (this.busy) return;
      const to = this.to.value.trim();
      if (!to) return this.say("invalid");
      this.busy = true;
      this.button.setAttribute("aria-disabled", "true");
      this.say("sending");
      const token = this.querySelector("[name=cf-turnstile-response]")?.value;
      let outcome = "failed";
      try {
        const answer = await fetch(new URL("/" + encodeURIComponent(this.getAttribute("campaign") || ""), this.getAttribute("endpoint") || home), {
          method: "POST", headers: { "Content-Type": "application/json" }, credentials: "omit",
          body: JSON.stringify({ to, "cf-turnstile-response": token }),
        });
        if (answer.status === 201) outcome = "sent";
        else if (answer.status === 429) outcome = "limited";
        else if (/number|region/.test((await answer.json()).error)) outcome = "invalid";
      } catch {} // no answer: failed
      this.busy = false;
      this.button.removeAttribute("aria-disabled");
      this.say(outcome);
      if (token !== undefined) window.turnstile?.reset();
      this.dispatchEvent(new CustomEvent("portreeve-sms", { bubbles: true, composed: true, detail: { outcome } }));
    }
  }
  if (!customElements.get("portreeve-sms")) customElements.define("portreeve-sms", Sms);
})();

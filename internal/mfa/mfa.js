// The button "Use your passkey" of the prompt for a second factor. It writes no
// markup, so that the page's policy (require-trusted-types-for) has nothing to say.

const button = document.getElementById("passkey");
const problem = document.getElementById("passkey-problem");

const decode = (text) => {
  const raw = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(raw, (c) => c.charCodeAt(0)).buffer;
};

const encode = (buffer) => {
  let raw = "";
  for (const byte of new Uint8Array(buffer)) raw += String.fromCharCode(byte);
  return btoa(raw).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
};

const post = async (path, body) => {
  const answer = await fetch(path, {
    method: "POST",
    credentials: "same-origin",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify(body),
  });
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(told.message || "It did not work (" + answer.status + ").");
  return told;
};

const credentialOf = (c) => ({
  id: c.id,
  rawId: encode(c.rawId),
  type: c.type,
  clientExtensionResults: c.getClientExtensionResults(),
  authenticatorAttachment: c.authenticatorAttachment ?? undefined,
  response: {
    clientDataJSON: encode(c.response.clientDataJSON),
    authenticatorData: encode(c.response.authenticatorData),
    signature: encode(c.response.signature),
    userHandle: c.response.userHandle ? encode(c.response.userHandle) : undefined,
  },
});

// The server has checked it; the page checks again, since it is the page that goes there. It
// stays a URL: as text, a path that begins with two slashes would be read as another host.
const target = (path) => {
  const url = new URL(path || "/", location.origin);
  return url.origin === location.origin ? url : new URL("/", location.origin);
};

const show = async () => {
  const { publicKey } = await post("/mfa/passkeys/login/begin", {});
  publicKey.challenge = decode(publicKey.challenge);
  for (const key of publicKey.allowCredentials ?? []) key.id = decode(key.id);
  const credential = await navigator.credentials.get({ publicKey });
  await post("/mfa/passkeys/login/finish", credentialOf(credential));
  location.assign(target(button.dataset.return).href);
};

button?.addEventListener("click", async () => {
  problem.hidden = true;
  button.disabled = true;
  try {
    await show();
  } catch (error) {
    // Whoever closes the browser's question has changed their mind: that is no problem to be told.
    const dismissed = error instanceof DOMException && (error.name === "NotAllowedError" || error.name === "AbortError");
    problem.textContent = dismissed ? "No passkey was used. Try again, or use a code." : error.message;
    problem.hidden = false;
    button.disabled = false;
  }
});

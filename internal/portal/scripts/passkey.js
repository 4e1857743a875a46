// Passkeys: adding one, trying one, and showing one where a form asks for a second
// factor. The step-up token stays in this page's memory, for whoever has no session
// whose cookie could carry it (Cloudflare Access, a token in a header).

import { decode, encode, showPasskey } from './webauthn.js'

const able = !!globalThis.PublicKeyCredential && !!navigator.credentials
const problem = document.querySelector('[data-passkey-problem]')
const noted = document.querySelector('[data-passkey-done]')
let stepUp = ''

// Refused is an operation that did not do it.
class Refused extends Error {
  constructor(status, told) {
    super(told.message || `It did not work (${status}).`)
    this.status = status
    this.retryAfter = told.retryAfter
    this.details = told.details
  }
}

async function post(path, body) {
  const headers = { 'Content-Type': 'application/json', Accept: 'application/json' }
  if (stepUp) headers['X-Portreeve-MFA'] = stepUp
  const answer = await fetch(path, { method: 'POST', credentials: 'same-origin', headers, body: JSON.stringify(body) })
  const told = await answer.json().catch(() => ({}))
  if (!answer.ok) throw new Refused(answer.status, told)
  return told
}

const tell = (node, text) => {
  if (!node) return
  node.textContent = text
  node.hidden = !text
}

// words say what went wrong. A browser tells little of why there was no passkey, so
// that nobody learns which there are.
function words(error) {
  if (error instanceof DOMException) {
    if (error.name === 'InvalidStateError') return 'This device holds a passkey of yours already.'
    return 'No passkey was used. Try again, or choose another device.'
  }
  if (!(error instanceof Refused)) return 'The site cannot be reached. Try again in a moment.'
  if (error.status === 401) return 'You are not signed in any more. Load this page again.'
  if (error.status === 429) return `There were too many wrong ones. Try again in ${span(error.retryAfter)}.`
  const detail = error.details?.[0]
  return detail ? `${detail.field} ${detail.issue}.` : error.message.replace(/\.?$/, '.')
}

function span(seconds) {
  const minutes = Math.max(1, Math.ceil((seconds || 60) / 60))
  if (minutes > 90) return `${Math.ceil(minutes / 60)} hours`
  return minutes === 1 ? '1 minute' : `${minutes} minutes`
}

// show has somebody show a passkey; what it is good for is kept.
async function show() {
  stepUp = (await showPasskey(post)).stepUpToken
}

async function register(name, code) {
  const { publicKey } = await post('/mfa/passkeys/register/begin', code ? { code } : {})
  publicKey.challenge = decode(publicKey.challenge)
  publicKey.user.id = decode(publicKey.user.id)
  for (const key of publicKey.excludeCredentials ?? []) key.id = decode(key.id)
  const c = await navigator.credentials.create({ publicKey })
  await post('/mfa/passkeys/register/finish', {
    name, id: c.id, rawId: encode(c.rawId), type: c.type, clientExtensionResults: c.getClientExtensionResults(), authenticatorAttachment: c.authenticatorAttachment ?? undefined,
    response: { clientDataJSON: encode(c.response.clientDataJSON), attestationObject: encode(c.response.attestationObject), transports: c.response.getTransports?.() ?? [] },
  })
}

// attempt runs one thing at a time and says what went wrong.
async function attempt(button, work) {
  if (button.disabled) return
  button.disabled = true
  tell(problem, '')
  tell(noted, '')
  try {
    await work()
  } catch (error) {
    tell(problem, words(error))
    throw error
  } finally {
    button.disabled = false
  }
}

const button = (what) => document.querySelector(`button[data-passkey="${what}"]`)
const on = (what, work) => {
  const b = button(what)
  if (!b || !able) return
  b.hidden = false
  b.addEventListener('click', () => attempt(b, () => work(b)).catch(() => {}))
}

on('test', async () => {
  await show()
  tell(noted, noted.dataset.passkeyDone)
})

// A form that asks for a code takes a passkey instead.
on('submit', async (b) => {
  await show()
  b.form.elements.stepUp.value = stepUp
  b.form.submit()
})

const form = document.querySelector('form[data-passkey="register"]')
if (form && able) {
  form.hidden = false
  const asked = form.querySelector('[data-passkey-code]')
  const add = form.querySelector('button.button:not([type="button"])')
  const begin = () => attempt(add, async () => {
    const code = form.elements.mfaCode
    try {
      await register(form.elements.name.value.trim(), code?.value.trim())
    } catch (error) {
      if (error instanceof Refused && error.status === 403 && /sign in again/i.test(error.message)) {
        location.assign('/factors/again?return=/factors/passkey')
        return
      }
      if (error instanceof Refused && asked && (error.status === 403 || error.status === 400 && code.value)) {
        const first = asked.hidden
        asked.hidden = false
        code.value = ''
        code.focus()
        if (first) return
        throw error.status === 400 ? new Refused(400, { message: 'This code is wrong, or was used before; wait for the next one' }) : error
      }
      throw error
    }
    location.assign('/factors?done=passkey-added')
  }).catch(() => {})
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    begin()
  })
  on('show', async () => {
    await show()
    asked.hidden = true
    await begin()
  })
}
const none = document.querySelector('[data-passkey-none]')
if (none) none.hidden = able

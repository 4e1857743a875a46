// What the pages of escrow ask the API. Nothing goes out from here but what the
// caller hands over, and no caller hands over a passphrase, a share or a secret.

import { askFactor } from './step-up.js'

const origin = document.body.dataset.api || location.origin

// Refused is an answer that is none: 0 where nobody answered.
export class Refused extends Error {
  constructor(status, { message = '', retryAfter = 0, details = [] } = {}) {
    super(message)
    this.name = 'Refused'
    this.status = status
    this.retryAfter = retryAfter
    this.details = details
  }
}

async function send(method, path, body) {
  let answer
  try {
    answer = await fetch(origin + path, {
      method, credentials: 'include', cache: 'no-store', redirect: 'manual', referrerPolicy: 'origin',
      headers: { Accept: 'application/json', ...(body && { 'Content-Type': 'application/json' }) }, body: body && JSON.stringify(body),
    })
  } catch {
    throw new Refused(0)
  }
  // Access leads whoever is signed out to its sign-in, which is of another origin.
  if (answer.type === 'opaqueredirect') throw new Refused(401)
  const said = await answer.json().catch(() => ({}))
  if (!answer.ok) throw new Refused(answer.status, said)
  return said
}

let stepUp // what a code was good for

// prove posts what may take a second factor, which is asked for when it does.
async function prove(path, body) {
  for (let asked = false; ; asked = true) {
    try {
      return await send('POST', path, { ...body, ...(stepUp && { stepUp }) })
    } catch (error) {
      if (error.status !== 403 || error.message !== 'Second factor required' || asked) throw error
      stepUp = await askFactor((to, what) => send('POST', to, what))
    }
  }
}

const segment = encodeURIComponent

// listKeys are the tenant's keys; what opens them is counted and recorded.
export const listKeys = async (wrappings) => (await send('GET', `/v1/tenant/key${wrappings ? '' : '?wrappings=false'}`)).keys
export const challengeFor = (publicKey) => prove('/v1/tenant/key/challenge', { publicKey })
export const setKey = (body) => prove('/v1/tenant/key', body)
export const addWrapping = (kid, body) => prove(`/v1/tenant/key/${segment(kid)}/wrapping`, body)
export const removeWrapping = (kid, version, body) => prove(`/v1/tenant/key/${segment(kid)}/wrapping/${version}/remove`, body)
export const reveal = (id, reason) => prove(`/v1/secrets/${segment(id)}/reveal`, { reason })

// signedIn reports whether there still is somebody signed in; unsure is the answer
// where nobody answers. Access leads away without a word to other origins, which
// looks the same.
export async function signedIn(unsure = true) {
  try {
    return (await send('GET', '/.portreeve/whoami')).authenticated !== false
  } catch (error) {
    return error.status === 0 ? unsure : error.status !== 401
  }
}

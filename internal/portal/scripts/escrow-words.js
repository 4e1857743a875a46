// What went wrong, and what to do, in words.

import { Problem } from './escrow/escrow.js'
import { Refused } from './escrow-api.js'
import { absent } from './escrow-elsewhere.js'
import './escrow-notice.js'

const inWords = (seconds) => {
  if (!seconds) return 'in a while'
  if (seconds < 90) return `in ${seconds} seconds`
  return `in ${Math.ceil(seconds / 60)} minutes, at ${new Date(Date.now() + seconds * 1000).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })}`
}

const sentence = (text) => (!text || /[.?!]$/.test(text) ? text : `${text}.`)

const refused = {
  0: () => absent(0) || 'The server cannot be reached. Check the connection, then try again: nothing on this page is lost.',
  401: () => absent(401) || 'You are no longer signed in: the session ended, or you signed out in another tab. Open the portal in another tab, sign in there, then try again here.',
  403: ({ message }) => (/cross-site/i.test(message) ? 'The API does not take requests from this page. Its setting escrow.portalOrigin must be the address of this portal.'
    : /second factor/i.test(message) ? 'Your second factor was shown, and does not count for this sign-in. Sign in again, another way if there is one.'
    : 'Your account may not do this, or not any more. Somebody who may change roles can give you one that may.'),
  404: () => 'It is not there any more, or not yours to see. Load the page again.',
  413: () => 'That is more than the server takes.',
  429: ({ message, retryAfter }) => (/Wrapped keys/.test(message) ? `Keys were opened ten times within an hour from your account, which is the most. Try again ${inWords(retryAfter)}. Keys that are open on another page stay so.`
    : /challenges/.test(message) ? `Too many attempts are open. Try again ${inWords(retryAfter)}.`
      : `Too many requests at once. Try again ${inWords(retryAfter)}.`),
}

// words says a problem to whoever is at the page.
export function words(error) {
  if (error instanceof Problem && error.code === 'passphrase') {
    return 'That is not the passphrase. Nothing was sent anywhere; check capital letters, blanks and hyphens, and type it again.'
  }
  if (error instanceof Problem) return sentence(error.message.charAt(0).toUpperCase() + error.message.slice(1))
  if (!(error instanceof Refused)) return 'Something went wrong in this page. Load it again; if it happens again, another browser may do.'
  if (refused[error.status]) return refused[error.status](error)
  if (error.status >= 500) return 'The server cannot do it right now. Try again in a moment: nothing on this page is lost.'
  return [sentence(error.message), ...error.details.map((d) => sentence(`${d.field} ${d.issue}`))].join(' ')
}

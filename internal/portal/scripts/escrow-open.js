// Keys that are open on the page of a way, and when they go.

import { page } from './escrow-stage.js'
import { byId, complain } from './dom.js'

// A page that is left in the middle has done nothing, but sheets may be printed.
let underway = false
export const begun = () => { underway = true }
export const ended = () => { underway = false }
addEventListener('beforeunload', (event) => { if (underway) event.preventDefault() })

// What is open goes when the page is left, and when nobody did anything
// for a while, which is longer for whoever fetches sheets from a printer. The page
// is loaded anew then, since passphrases are texts, which nothing else takes out of
// a page. It goes by the clock: a machine that slept ran no timer.

const opened = new Set()
const quiet = () => (underway ? 30 : 5) * 60_000
let used = 0

export function hold(keys) {
  opened.add(keys)
  used = Date.now()
  return keys
}

export function drop(...list) {
  for (const keys of list) {
    keys.drop()
    opened.delete(keys)
  }
}

// forget takes off the page what is secret.
function forget() {
  drop(...opened)
  for (const field of page.querySelectorAll('input[type=text], input[type=password], textarea')) field.value = ''
  for (const shown of ['sheets', 'words']) byId(shown)?.replaceChildren()
}

// over reports whether what was open has been for too long.
function over() {
  if (!opened.size || Date.now() - used < quiet()) return false
  underway = false
  forget()
  location.hash = 'quiet'
  location.reload()
  return true
}

setInterval(over, 1000)
for (const done of ['pointerdown', 'keydown', 'input']) {
  addEventListener(done, (event) => {
    if (over()) event.stopImmediatePropagation()
    else used = Date.now()
  }, { capture: true, passive: true })
}
addEventListener('pagehide', forget)
addEventListener('pageshow', (event) => { if (event.persisted) location.reload() })
if (location.hash === '#quiet') {
  history.replaceState(null, '', location.pathname)
  complain(byId('trouble'), 'Nobody did anything for a while, so that the page forgot what was open. Nothing more was done; begin again.')
}

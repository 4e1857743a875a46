// That somebody is not signed in at the API's host is said when the page opens, and
// not only after the sheets are printed.

import { signedIn } from './escrow-api.js'
import { api, host } from './escrow-elsewhere.js'
import { byId, el } from './dom.js'

let notice
async function look() {
  const there = await signedIn(false)
  notice?.remove()
  if (there) return
  notice = el('p', { class: 'warn', role: 'status', id: 'not-there' }, `This page asks ${host}, and you are not signed in there. `,
    el('a', { href: `${api}/.portreeve/whoami`, target: '_blank', rel: 'noopener' }, `Open ${host} in another tab`), ', sign in, and come back.')
  byId('main').prepend(notice)
}

if (host && document.querySelector('[data-reveal], #escrow')) {
  document.addEventListener('visibilitychange', () => { if (document.visibilityState === 'visible') look() })
  look()
}

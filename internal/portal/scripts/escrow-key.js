// The page of the key as it stands: what the server says of it is checked here, and
// what opens it is shown when it is asked for.

import { Problem, verifyChain } from './escrow/escrow.js'
import { listKeys } from './escrow-api.js'
import { words } from './escrow-words.js'
import { badge, busy, byId, complain, day, el, table } from './dom.js'

const page = byId('escrow')

// check verifies the chain, and that the page shows what was verified.
async function check(pin) {
  const { tenant, kid } = page.dataset
  const keys = await listKeys(false)
  const [newest] = await verifyChain(keys, { tenant, pin })
  if (newest.kid !== kid) throw new Problem('swapped', 'The page shows another key than the server lists: it was replaced just now, or something is wrong. Load the page again')
  return newest
}

async function show() {
  try {
    const { signer } = await check()
    byId('chain').replaceChildren(signer ? badge('ok', 'signed') : badge('warn', 'unsigned'),
      signer ? ' Every signature and replacement holds, verified in this browser.' : ' There is nothing to verify.')
  } catch (error) {
    byId('chain').replaceChildren(badge('stop', 'not verified'))
    complain(byId('chain-problem'), words(error) + (error instanceof Problem ? ' Do not seal to this key or enter its passphrase before you know why.' : ''))
  }
}

function pinning(form) {
  form.querySelector('button').disabled = false
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const verdict = byId('pin-verdict')
    const pin = byId('pinned').value.trim()
    busy(form, async () => {
      verdict.replaceChildren()
      try {
        if (!pin) throw new Problem('format', 'Paste or type the signer that you noted')
        await check(pin)
        verdict.append(badge('ok', 'the same'), ' The key hangs on the signer that you noted.')
      } catch (error) {
        verdict.append(badge('stop', 'not the same'), ` ${words(error)}`)
      }
    })
  })
}

const format = (w) => (w.format === 'jwe' ? 'PBES2, today’s' : badge('warn', 'imported (PBKDF2)'))

// opening lists what opens one key.
function opening(key, several) {
  const parts = several ? [el('h3', {}, 'Key ', el('code', {}, key.kid))] : []
  parts.push(table('Passphrases', ['Passphrase', 'Since', 'Until', 'Format'], (key.wrappings ?? []).map((w) => [
    `Version ${w.version}`, day(w.createdAt), w.current ? badge('ok', 'in use') : day(w.supersededAt), format(w)])))
  if (key.current && (key.wrappings ?? []).some((w) => w.current && w.format !== 'jwe')) {
    parts.push(el('p', { class: 'warn' }, 'The passphrase is kept in the format of the older system. ', el('a', { href: '/escrow/passphrase' }, 'Wrap the key anew'), ' when you can: it makes guessing slower.'))
  }
  if (key.recovery?.length) {
    parts.push(table('Recovery sheets', ['Set of sheets', 'Opens with', 'Printed'], key.recovery.map((r) => [el('code', {}, r.set), `${r.k} of ${r.n}`, day(r.createdAt)])))
  } else {
    parts.push(el('p', { class: 'warn' }, 'There are no recovery sheets for this key: without its passphrase, nobody opens it. Change the passphrase and print some.'))
  }
  return parts
}

const button = byId('opens')
if (button) {
  button.disabled = false
  button.addEventListener('click', () => busy(button, async () => {
    complain(byId('opens-problem'), '')
    try {
      const keys = await listKeys(true)
      byId('opened').replaceChildren(...keys.flatMap((key) => opening(key, keys.length > 1)))
      button.hidden = true
      byId('opened').focus()
    } catch (error) {
      complain(byId('opens-problem'), words(error))
    }
  }))
}

if (page) {
  show()
  if (byId('pin')) pinning(byId('pin'))
}

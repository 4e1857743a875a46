// The steps that a way begins with: a key is opened, by its passphrase or by sheets,
// and a passphrase is chosen.

import { parseShare, Problem, restore, unwrap, verifyChain } from './escrow/escrow.js'
import { listKeys } from './escrow-api.js'
import { hold } from './escrow-open.js'
import { choosing } from './escrow-passphrase.js'
import { fields } from './escrow-sheets.js'
import { doing, flow, step, tenant } from './escrow-stage.js'
import { byId, el, mask } from './dom.js'

// pick offers keys to choose one of, where there are several.
function pick(keys) {
  byId('which').replaceChildren(...keys.map((key, i) => el('option', { value: i, selected: !i }, `${key.current ? 'The present key' : 'A key before'}, made ${new Date(key.createdAt).toLocaleDateString('en-GB')} (${key.kid.slice(0, 8)}…)`)))
  byId('which-field').hidden = keys.length < 2
  return () => keys[Number(byId('which').value)]
}

// believed are the tenant's keys with what opens them, their signatures verified.
let listed
async function believed() {
  if (listed) return listed
  doing('Asking for the key…')
  const keys = await listKeys(true)
  if (!keys.length) throw new Problem('none', 'There is no key any more. Load the page again')
  await verifyChain(keys, { tenant })
  if (!keys[0].wrappings) throw new Problem('role', 'Your roles do not hold escrow:reveal, without which nobody is handed what opens the key')
  return (listed = keys)
}

// open opens a key with its passphrase: {keys, entry, passphrase}.
export async function open() {
  let chosen
  const old = byId('old')
  mask(old)
  if (flow === 'passphrase') {
    await listKeys(false).then((keys) => { if (keys.length > 1) chosen = pick(keys) }, () => {}) // said when it is opened
  }
  const { value } = await step('open', async () => {
    if (!old.value) throw new Problem('format', 'Enter the passphrase')
    const all = await believed()
    const kid = chosen?.().kid ?? all[0].kid
    const entry = all.find((key) => key.kid === kid)
    doing('Opening the key: this takes a second or two…')
    const keys = hold(await unwrap(entry.wrappings.find((w) => w.current).wrappedPrivateKey, kid, old.value, { keep: true }))
    const passphrase = old.value
    old.value = ''
    return { keys, entry, passphrase }
  })
  return value
}

// enter opens a key by recovery sheets.
export async function enter() {
  const all = await believed().finally(() => doing(''))
  const keys = all.filter((key) => key.recovery?.length)
  if (!keys.length) throw new Problem('none', 'There are no recovery sheets for any key of this tenant: without its passphrase, nobody opens it')
  const chosen = pick(keys)
  let inputs
  const show = () => {
    const { recovery } = chosen()
    byId('sets').textContent = recovery.length > 1 ? `There are ${recovery.length} sets of sheets; all that you enter must be of one: ${recovery.map((r) => `${r.set} (${r.k} of ${r.n})`).join(', ')}.`
      : `The sheets are of set ${recovery[0].set}; any ${recovery[0].k} of the ${recovery[0].n} open the key.`
    inputs?.clear()
    inputs = fields(byId('shares'), Math.max(...recovery.map((r) => r.k)))
  }
  const least = () => Array.from(byId('shares').querySelectorAll('textarea'), (area) => area.value.replaceAll('\n', ' ').trim()).filter(Boolean)
  byId('which').addEventListener('change', show)
  show()
  const { value } = await step('shares', async () => {
    const entry = chosen()
    const typed = entry.recovery.length > 1 ? least() : inputs.typed()
    if (!typed.length) throw new Problem('shares', 'Type what stands on the sheets')
    const { set } = await parseShare(typed[0])
    const copy = entry.recovery.find((r) => r.set === set)
    if (!copy) throw new Problem('shares', `The server has no copy for sheets of set ${set}: they are for another key, or were never stored`)
    doing('Opening the key…')
    const keys = hold(await restore(copy.sealed, entry.kid, typed, { keep: true }))
    inputs.clear()
    return { keys, entry }
  })
  return value
}

// choose asks for a passphrase: {passphrase, resheet}.
export async function choose(present) {
  const read = await choosing(byId('step-choose'), present)
  const { value } = await step('choose', async () => {
    doing('Looking at the passphrase…')
    return { passphrase: await read(), resheet: !!byId('resheet')?.checked }
  })
  return value
}

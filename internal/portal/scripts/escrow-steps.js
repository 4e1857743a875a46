// The four ways through the steps of a key: set-up, another passphrase, another key,
// recovery. Each is read from top to bottom; a step is over when its form was
// sent and what it asks for holds.

import { makeKeys, support, vouch } from './escrow/escrow.js'
import { begun, drop, ended, hold } from './escrow-open.js'
import { choose, enter, open } from './escrow-opening.js'
import { share } from './escrow-sharing.js'
import { flow, page, turn } from './escrow-stage.js'
import { older, rewrap, store } from './escrow-storing.js'
import { words } from './escrow-words.js'
import { byId, complain, el } from './dom.js'

const ways = {
  async setup() {
    const { passphrase } = await choose()
    const { keys, recovery } = await share(() => makeKeys())
    byId('store-lead').textContent = 'The public key, its signature, the wrapped private key and the encrypted copy that the sheets open are sent now. The passphrase and the sheets are not.'
    await store(keys, passphrase, recovery)
    finish(p('The key is set. Machines can hand over secrets from now on, and who may reveal them opens them with the passphrase.'), ...pinIt(keys.signer))
    drop(keys)
  },

  async rotate() {
    const { keys: current, passphrase: present } = await open()
    const resign = byId('resign').checked
    const { passphrase } = await choose(present)
    const { keys, recovery } = await share(() => makeKeys(resign ? {} : { signedBy: current }))
    byId('store-lead').textContent = `The new key takes the place of ${current.kid}, authorised by its signing key.`
    await store(keys, passphrase, recovery, current)
    finish(p('The key is replaced. Keep the passphrase and the sheets of the one before: secrets that were sealed to it open with nothing else.'),
      ...(resign ? pinIt(keys.signer) : [p('The signer is the same as before: machines that pin it need nothing new.')]))
    drop(current, keys)
  },

  async passphrase() {
    const { keys, entry } = await open()
    older(keys, entry.wrappings)
    await again(keys, entry)
  },

  async recover() {
    const { keys, entry } = await enter()
    await again(keys, entry)
  },
}

// again wraps keys that are open with a new passphrase.
async function again(open, entry) {
  byId('resheet').checked = !entry.recovery?.length
  const { passphrase, resheet } = await choose()
  const signs = entry.current && !open.signer
  const keys = signs ? hold(await vouch(open)) : open
  begun()
  const recovery = resheet ? (await share(async () => keys)).recovery : undefined
  byId('store-lead').textContent = `The key is wrapped with the new passphrase. The old one opens it for 90 days more${flow === 'passphrase' ? ', unless you remove it below' : ''}.${signs ? ' It gets a signing key, too.' : ''}`
  if (signs) await store(keys, passphrase, recovery, keys)
  else await rewrap(keys, passphrase, recovery)
  keys.readonly()
  finish(p('The passphrase is changed. Tell those who reveal secrets.'), ...(recovery ? [p('The new sheets open the key from now on, and so do those before.')] : []), ...(signs ? pinIt(keys.signer) : []))
  for (const w of entry.wrappings) {
    if (w.current) Object.assign(w, { current: false, supersededAt: new Date().toISOString() })
  }
  older(keys, entry.wrappings)
  if (keys !== open) drop(open)
}

// finish says what was done, and what is left to do.
function finish(...parts) {
  ended()
  byId('done').replaceChildren(...parts)
  turn('done')
}

const p = (...children) => el('p', {}, ...children)
const pinIt = (signer) => [p('Note the signer beside the passphrase: machines that pin it take no other key.'),
  el('p', {}, el('span', { class: 'copyable' }, el('code', {}, signer), el('button', { type: 'button', class: 'copy', 'data-copy': signer }, el('span', {}, 'Copy')))),
  el('pre', {}, `portreeve escrow seal --signer ${signer} …`)]

const [lack] = await support()
page.hidden = !!lack
if (lack) complain(byId('trouble'), lack)
else {
  await ways[flow]().catch((error) => {
    page.hidden = true
    complain(byId('trouble'), words(error))
  })
}

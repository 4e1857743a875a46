// The steps that a way ends with: keys, or another wrapping of one, are sent with a
// proof that they can be opened, and older wrappings are removed.

import { onboarding, Problem } from './escrow/escrow.js'
import { addWrapping, challengeFor, listKeys, removeWrapping, setKey } from './escrow-api.js'
import { doing, step, tenant } from './escrow-stage.js'
import { words } from './escrow-words.js'
import { busy, byId, complain, day, el, table } from './dom.js'

// answerTo asks for a challenge, and looks at what it says before it is answered.
async function answerTo(keys, predecessor, recovery) {
  const challenge = await challengeFor(keys.publicKey)
  if (challenge.tenant !== tenant) throw new Problem('swapped', 'The challenge is for another tenant than this page. Load the page again')
  if (predecessor !== undefined && challenge.predecessor !== predecessor) throw moved(recovery)
  return challenge
}

// lands is for answers that got lost: it reports whether the key is there anyway.
const lands = async (kid) => (await listKeys(false)).some((key) => key.current && key.kid === kid)

// store sends keys: new ones, or a first signing key for those that there are.
export async function store(keys, passphrase, recovery, current) {
  await step('store', async () => {
    doing('Wrapping the key with the passphrase: this takes a second or two…')
    const wrappedPrivateKey = await keys.wrap(passphrase)
    doing('Proving that the key can be opened…')
    const challenge = await answerTo(keys, current?.kid === keys.kid ? undefined : current?.kid ?? null, recovery)
    const body = await onboarding(keys, challenge, { wrappedPrivateKey, recovery: recovery?.sealed, current })
    doing('Storing…')
    try {
      await setKey(body)
    } catch (error) {
      if (error.status && error.status !== 409 || !(await lands(keys.kid).catch(() => false))) throw told(error, recovery)
    }
  })
}

// moved says what a key that is there meanwhile means for whoever has printed sheets.
const moved = (recovery) => new Problem('moved', `Somebody else set the tenant's key meanwhile, perhaps in another tab. Nothing of yours was stored.${recovery ? ' Destroy the sheets that you printed: they open nothing.' : ''}`)
const told = (error, recovery) => (error.status === 409 ? moved(recovery) : error)

// rewrap sends another wrapping of keys that there are.
export async function rewrap(keys, passphrase, recovery) {
  await step('store', async () => {
    doing('Wrapping the key with the passphrase: this takes a second or two…')
    const wrappedPrivateKey = await keys.wrap(passphrase)
    doing('Proving that the key can be opened…')
    const challenge = await answerTo(keys)
    const proof = await keys.answer(challenge)
    doing('Storing…')
    await addWrapping(keys.kid, { wrappedPrivateKey, challengeId: challenge.challengeId, proof, ...(recovery && { recovery: recovery.sealed }) })
  })
}

// older lists passphrases that still open a key, to be removed by who has it open.
export function older(keys, wrappings) {
  const list = wrappings.filter((w) => !w.current)
  byId('older').hidden = !list.length
  byId('older-list').replaceChildren(table('Older passphrases', ['Passphrase', 'Since', 'Until', 'Remove'], list.map((w) => {
    const remove = el('button', { type: 'button', class: 'button stop', 'aria-label': `Remove version ${w.version}` }, 'Remove')
    remove.addEventListener('click', () => busy(remove, async () => {
      complain(byId('older-problem'), '')
      try {
        doing('Removing…')
        const challenge = await answerTo(keys)
        await removeWrapping(keys.kid, w.version, { challengeId: challenge.challengeId, proof: await keys.answer(challenge) })
        wrappings.splice(wrappings.indexOf(w), 1)
        older(keys, wrappings)
        doing(`Version ${w.version} is removed. It opens the key no more.`)
      } catch (error) {
        doing('')
        complain(byId('older-problem'), words(error))
      }
    }))
    return [`Version ${w.version}`, day(w.createdAt), day(w.supersededAt), remove]
  })))
}

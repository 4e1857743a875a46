// The four ways through the steps of a key: set-up, another passphrase, another key,
// recovery. Each is read from top to bottom; a step is over when its form was
// sent and what it asks for holds.

import { makeKeys, onboarding, parseShare, Problem, restore, support, unwrap, verifyChain, vouch } from './escrow/escrow.js'
import { addWrapping, challengeFor, listKeys, removeWrapping, setKey } from './escrow-api.js'
import { choosing } from './escrow-passphrase.js'
import { cutting, fields, lay, verify } from './escrow-sheets.js'
import { words } from './escrow-words.js'
import { busy, byId, complain, day, el, mask, table } from './dom.js'

const page = byId('escrow')
const { flow, tenant } = page.dataset
const doing = (text) => { byId('doing').textContent = text }

// turn shows one step, and reads its heading out.
function turn(name) {
  for (const step of page.querySelectorAll('.step')) step.hidden = step.id !== `step-${name}`
  let before = true
  for (const stage of page.querySelectorAll('[data-stage]')) {
    const here = stage.dataset.stage === name
    before &&= !here
    stage.classList.toggle('past', before || name === 'done')
    if (here) stage.setAttribute('aria-current', 'step')
    else stage.removeAttribute('aria-current')
  }
  const step = byId(`step-${name}`)
  step.querySelector('h2').focus()
  return step
}

// step is over when submit went through; what is wrong is said, and asked again. It
// gives undefined where somebody goes back.
function step(name, submit) {
  const form = turn(name)
  const problem = form.querySelector('[role=alert]')
  complain(problem, '')
  return new Promise((resolve) => {
    const back = form.querySelector('[data-back]')
    if (back) back.onclick = () => form.hasAttribute('aria-busy') || resolve(undefined)
    form.onsubmit = (event) => {
      event.preventDefault()
      complain(byId('trouble'), '')
      busy(form, async () => {
        complain(problem, '')
        try {
          resolve({ value: await submit(form) })
        } catch (error) {
          complain(problem, words(error))
        } finally {
          doing('')
        }
      })
    }
  })
}

// A page that is left in the middle has done nothing, but sheets may be printed.
let underway = false
addEventListener('beforeunload', (event) => { if (underway) event.preventDefault() })

// ---- What is open: it goes when the page is left, and when nobody did anything
// for a while, which is longer for whoever fetches sheets from a printer. The page
// is loaded anew then, since passphrases are texts, which nothing else takes out of
// a page. It goes by the clock: a machine that slept ran no timer.

const opened = new Set()
const quiet = () => (underway ? 30 : 5) * 60_000
let used = 0

function hold(keys) {
  opened.add(keys)
  used = Date.now()
  return keys
}

function drop(...list) {
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

// ---- The steps.

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
async function open() {
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
async function enter() {
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
async function choose(present) {
  const read = await choosing(byId('step-choose'), present)
  const { value } = await step('choose', async () => {
    doing('Looking at the passphrase…')
    return { passphrase: await read(), resheet: !!byId('resheet')?.checked }
  })
  return value
}

// share prints sheets for keys and has them typed in again: {recovery, keys}. keys
// is made once it is wanted.
async function share(make) {
  cutting()
  const form = byId('step-sheets')
  let keys, recovery
  byId('cut').onclick = () => busy(form, async () => {
    const problem = form.querySelector('[role=alert]')
    complain(problem, '')
    try {
      doing(keys ? 'Making the sheets…' : 'Making the key: this takes a few seconds…')
      keys ??= hold(await make())
      underway = true
      recovery = await keys.recovery(Number(byId('k').value), Number(byId('n').value))
      lay(recovery, keys, tenant)
      byId('printed').checked = false
      byId('printed-part').hidden = byId('sheets-on').hidden = false
      byId('cut').textContent = 'Make other sheets'
      byId('print').focus()
    } catch (error) {
      complain(problem, words(error))
    } finally {
      doing('')
    }
  })
  byId('print').onclick = () => print()
  for (;;) {
    await step('sheets', async () => {
      if (!recovery) throw new Problem('shares', 'Make the sheets first')
      if (!byId('printed').checked) throw new Problem('shares', 'Print the sheets first, and say so. They cannot be shown again later')
    })
    byId('check-lead').textContent = `Type ${recovery.k} of the ${recovery.n} sheets from the paper. That shows that they are readable, and that the right ones were kept.`
    const inputs = fields(byId('checked'), recovery.k)
    const checked = await step('check', async () => {
      doing('Opening the copy with the sheets…')
      await verify(recovery, keys, inputs.typed())
      return true
    })
    inputs.clear()
    if (!checked) continue
    byId('sheets').replaceChildren()
    return { keys, recovery }
  }
}

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
async function store(keys, passphrase, recovery, current) {
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
async function rewrap(keys, passphrase, recovery) {
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

// finish says what was done, and what is left to do.
function finish(...parts) {
  underway = false
  byId('done').replaceChildren(...parts)
  turn('done')
}

const p = (...children) => el('p', {}, ...children)
const pinIt = (signer) => [p('Note the signer beside the passphrase: machines that pin it take no other key.'),
  el('p', {}, el('span', { class: 'copyable' }, el('code', {}, signer), el('button', { type: 'button', class: 'copy', 'data-copy': signer }, el('span', {}, 'Copy')))),
  el('pre', {}, `portreeve escrow seal --signer ${signer} …`)]

// older lists passphrases that still open a key, to be removed by who has it open.
function older(keys, wrappings) {
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

// ---- The ways.

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
  underway = true
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

const [lack] = await support()
page.hidden = !!lack
if (lack) complain(byId('trouble'), lack)
else {
  await ways[flow]().catch((error) => {
    page.hidden = true
    complain(byId('trouble'), words(error))
  })
}

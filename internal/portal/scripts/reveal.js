// Revealing secrets on a page that marks them: <div data-reveal="ID" data-kid
// data-machine data-kind data-label>. The passphrase is asked for once; the keys that it opened stay in
// memory for five minutes in which nobody uses them, and go when the page is left.

import { Problem, support, unwrap, Vault } from './escrow/escrow.js'
import { listKeys, reveal, signedIn } from './escrow-api.js'
import { words } from './escrow-words.js'
import { busy, complain, copies, el, mask } from './dom.js'

const shownFor = 60 // seconds
const boxes = new Set()
const vault = new Vault({ onDrop: () => { for (const box of boxes) box.dropped() } })

// keysOf are the tenant's keys with their wrappings, asked for once: they are handed
// out ten times an hour.
let listed
let listedAt = 0
const keysOf = () => {
  listedAt ||= Date.now()
  return (listed ??= listKeys(true).catch((error) => {
    forget()
    throw error
  }))
}
const forget = () => {
  listed = undefined
  listedAt = 0
}

// wrappingOf is what opens the key of a kid.
async function wrappingOf(kid) {
  const key = (await keysOf()).find((k) => k.kid === kid)
  if (!key) throw new Problem('none', 'The secret is sealed to a key that the tenant does not have')
  if (!key.wrappings) throw new Problem('role', 'Your account may not open keys. Somebody who may change roles can give you one that may')
  return { current: key.current, made: key.createdAt, wrapping: key.wrappings.find((w) => w.current) }
}

// asText is a secret as people read it; bytes that are no text are shown in base64.
function asText(secret) {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(secret), note: '' }
  } catch {
    return { text: btoa(Array.from(secret, (b) => String.fromCharCode(b)).join('')), note: 'These are bytes and no text: base64.' }
  }
}

const line = (text = '') => text.replace(/\r\n?/g, '\n') // as attributes hold line breaks

// Box is one secret's place on the page.
class Box {
  #place
  #name
  #open
  #form
  #reason
  #pass
  #passField
  #passLabel
  #problem
  #shown
  #doing
  #clock
  #typed // until when a passphrase stands in its field
  #kid // the key that the secret is sealed to

  constructor(place) {
    const { reveal: id, kid, kind = 'secret', label = '' } = place.dataset
    this.#place = place
    this.#kid = kid
    this.id = id
    this.#name = label ? `${kind}, ${label}` : kind
    this.#build()
    boxes.add(this)
  }

  #build() {
    const field = (label, input, hint) => el('div', { class: 'field' }, el('label', { for: input.id }, label), input, hint && el('p', { class: 'hint', id: `${input.id}-hint` }, hint))
    const at = (name) => `${name}-${this.id}`
    this.#open = el('button', { type: 'button', class: 'button quiet', 'aria-expanded': 'false', 'aria-label': `Reveal ${this.#name}` }, 'Reveal')
    this.#reason = el('input', { id: at('reason'), type: 'text', autocomplete: 'off', maxlength: '500', 'aria-describedby': `${at('reason')}-hint` })
    this.#pass = el('input', { id: at('passphrase'), type: 'text', autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', maxlength: '512', 'aria-describedby': `${at('passphrase')}-hint` })
    mask(this.#pass)
    this.#passField = field('Passphrase of the escrow key', this.#pass, 'It stays in this browser, and is asked for again after five quiet minutes.')
    this.#passLabel = this.#passField.querySelector('label')
    this.#problem = el('p', { class: 'problems', role: 'alert', hidden: true })
    this.#doing = el('p', { class: 'doing', role: 'status' })
    const leave = el('button', { type: 'button', class: 'button quiet' }, 'Leave it')
    this.#form = el('form', { class: 'reveal', novalidate: true, hidden: true, 'aria-label': `Reveal ${this.#name}` },
      field('Why do you need it?', this.#reason, 'It stands in the audit trail, with your name.'), this.#passField, this.#problem,
      el('p', { class: 'acts' }, el('button', { class: 'button' }, 'Show it'), leave), this.#doing)
    this.#shown = el('div', { class: 'revealed', role: 'group', 'aria-label': this.#name, tabindex: '-1', hidden: true })
    this.#place.replaceChildren(this.#open, this.#form, this.#shown)
    this.#open.addEventListener('click', () => this.#ask())
    this.#pass.addEventListener('input', () => {
      clearTimeout(this.#typed)
      this.#typed = setTimeout(() => { this.#pass.value = '' }, 5 * 60_000)
    })
    leave.addEventListener('click', () => this.#close())
    this.#form.addEventListener('keydown', (event) => { if (event.key === 'Escape') this.#close() })
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault()
      busy(this.#form, () => this.#submit())
    })
  }

  #ask() {
    this.#open.hidden = true
    this.#form.hidden = false
    this.#passLabel.textContent = 'Passphrase of the escrow key'
    this.#passField.hidden = !this.#locked()
    complain(this.#problem, '')
    this.#reason.focus()
  }

  #locked() {
    return !vault.keysOf(this.#kid)
  }

  #close() {
    this.#pass.value = ''
    this.#form.hidden = true
    this.#open.hidden = false
    this.#open.focus()
  }

  async #submit() {
    complain(this.#problem, '')
    try {
      const reason = this.#reason.value.trim()
      if (!reason) throw new Problem('format', 'Say why you need it: that is kept')
      if (this.#locked()) await this.#unlock()
      this.#doing.textContent = 'Asking for the secret…'
      const answer = this.#own(await reveal(this.id, reason))
      const keys = vault.keysOf(this.#kid)
      if (!keys) throw new Problem('locked', 'The key was closed meanwhile. Enter the passphrase again')
      const { secret, bound } = await keys.reveal(answer)
      this.#show(secret, bound)
    } catch (error) {
      if (error.status === 401) vault.drop()
      if (error instanceof Problem && error.code === 'locked') this.#passField.hidden = false
      complain(this.#problem, words(error))
      if (error.code === 'passphrase' || error.code === 'older') {
        if (Date.now() - listedAt > 60_000) forget() // it may have been changed meanwhile
        this.#pass.select()
      }
    } finally {
      this.#doing.textContent = ''
    }
  }

  // #own wants that what was handed out is what the page shows there: nobody takes
  // the password of one machine for another's.
  #own(answer) {
    const { machine, kind, label } = this.#place.dataset
    if (answer.id !== this.id || answer.kid !== this.#kid || answer.machine?.id !== machine || line(answer.kind) !== kind || line(answer.label) !== label) {
      throw new Problem('swapped', 'The secret was swapped: what was handed out is not what stands here. Load the page again; if it happens again, tell whoever runs this server')
    }
    return answer
  }

  // #unlock opens the key with the passphrase, before anything is handed out.
  async #unlock() {
    this.#passField.hidden = false
    if (!this.#pass.value) throw new Problem('format', 'Enter the passphrase')
    this.#doing.textContent = 'Opening the key: this takes a second or two…'
    const { current, made, wrapping } = await wrappingOf(this.#kid)
    try {
      vault.hold(await unwrap(wrapping.wrappedPrivateKey, this.#kid, this.#pass.value))
    } catch (error) {
      if (error.code !== 'passphrase' || current) throw error
      this.#passLabel.textContent = `Passphrase of the key of ${new Date(made).toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric' })}`
      throw new Problem('older', 'The secret is sealed to a key from before, which has a passphrase of its own. Enter that one')
    }
    this.#pass.value = ''
  }

  #show(secret, bound) {
    const { text, note } = asText(secret)
    secret.fill(0)
    this.#form.hidden = true
    this.#reason.value = ''
    const code = el('code', { translate: 'no' }, text)
    const copy = el('button', { type: 'button', class: 'button quiet' }, 'Copy')
    copies(copy, () => code.textContent, code)
    const hide = el('button', { type: 'button', class: 'button quiet' }, 'Hide')
    hide.addEventListener('click', () => this.hide(true))
    const left = el('span', { class: 'left', 'aria-hidden': 'true' })
    this.#shown.replaceChildren(el('pre', { tabindex: '0', 'aria-label': this.#name }, code),
      ...(note ? [el('p', { class: 'hint' }, note)] : []),
      ...(bound ? [] : [el('p', { class: 'warn' }, 'Not bound to its machine: nothing in it says whose it is.')]),
      el('p', { class: 'acts' }, copy, hide, left, el('span', { class: 'visually-hidden' }, `Hidden after ${shownFor} seconds.`)))
    this.#shown.hidden = false
    this.#shown.focus()
    const end = Date.now() + shownFor * 1000
    const tick = () => {
      const rest = Math.ceil((end - Date.now()) / 1000)
      if (rest <= 0) return this.hide(this.#shown.contains(document.activeElement))
      left.textContent = `Hidden in ${rest} s`
      return undefined
    }
    clearInterval(this.#clock)
    this.#clock = setInterval(tick, 250)
    tick()
  }

  // hide takes the secret off the page.
  hide(focus = false) {
    clearInterval(this.#clock)
    if (this.#shown.hidden) return
    this.#shown.replaceChildren()
    this.#shown.hidden = true
    this.#open.hidden = false
    if (focus) this.#open.focus()
  }

  // dropped says that the keys are gone, and with them what they opened.
  dropped() {
    this.#pass.value = ''
    this.#passField.hidden = false
    this.hide()
  }
}

// Whoever signed out in another tab leaves nothing open here.
document.addEventListener('visibilitychange', async () => {
  if (document.visibilityState === 'visible' && !(await signedIn())) {
    for (const box of boxes) box.hide()
    vault.drop()
  }
})
addEventListener('pagehide', () => { for (const box of boxes) box.dropped() })
// What was under way when the page was left may not end on one that is brought back.
addEventListener('pageshow', (event) => { if (event.persisted) location.reload() })

const places = document.querySelectorAll('[data-reveal]')
const [lack] = places.length ? await support() : []
if (lack) {
  for (const place of places) place.replaceChildren(el('p', { class: 'problems', role: 'alert' }, lack))
} else {
  for (const place of places) new Box(place)
}

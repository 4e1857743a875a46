// Asking for a second factor, where the API wants one before it goes on.

import { Problem } from './escrow/escrow.js'
import { complain, el } from './dom.js'
import { absent } from './escrow-elsewhere.js'
import { showPasskey } from './webauthn.js'

const said = (error) => {
  if (error instanceof DOMException) return 'No passkey was used. Try again, or use a code.'
  if (error.message === 'No second factor is enabled') return 'You have no second factor yet. Set one up under Second factors, then try again here.'
  return { 400: 'The code is wrong, or was used before. Wait for the next one.', 401: absent(401) || 'You are no longer signed in. Sign in in another tab, then try again here.',
    0: absent(0) || undefined,
    404: 'Second factors are turned off where the API stands: its site needs mfa: {}.', 429: 'Too many wrong codes. Wait a few minutes.' }[error.status]
    ?? 'It did not work. Try again in a moment.'
}

// askFactor asks until a factor is shown, and gives the step-up token that it was
// good for. Passkeys belong to the host that they were made on.
export function askFactor(post) {
  const code = el('input', { id: 'factor-code', type: 'text', inputmode: 'numeric', autocomplete: 'one-time-code', maxlength: '64', 'aria-describedby': 'factor-hint' })
  const problem = el('p', { class: 'problems', role: 'alert', hidden: true })
  const passkey = el('button', { type: 'button', class: 'button quiet', hidden: !globalThis.PublicKeyCredential || !!document.body.dataset.api }, 'Use a passkey')
  const leave = el('button', { type: 'button', class: 'button quiet' }, 'Not now')
  const form = el('form', { novalidate: true },
    el('h2', { id: 'factor-title' }, 'Your second factor'),
    el('p', { id: 'factor-hint' }, 'This takes it. Six digits of your authenticator app, or a backup code.'),
    el('div', { class: 'field' }, el('label', { for: 'factor-code' }, 'Code'), code),
    problem,
    el('p', { class: 'acts' }, el('button', { class: 'button' }, 'Go on'), passkey, leave))
  const dialog = el('dialog', { class: 'ask', 'aria-labelledby': 'factor-title' }, form)
  document.body.append(dialog)
  dialog.showModal()
  return new Promise((resolve, reject) => {
    const done = (how) => {
      dialog.close()
      dialog.remove()
      how()
    }
    const attempt = async (show) => {
      if (form.hasAttribute('aria-busy')) return
      form.setAttribute('aria-busy', 'true')
      complain(problem, '')
      try {
        const { stepUpToken } = await show()
        done(() => resolve(stepUpToken))
      } catch (error) {
        complain(problem, said(error))
        code.value = ''
        code.focus()
      } finally {
        form.removeAttribute('aria-busy')
      }
    }
    const cancel = () => done(() => reject(new Problem('factor', 'Nothing was done: it takes your second factor.')))
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      if (code.value.trim()) attempt(() => post('/mfa/verify', { code: code.value.trim() }))
      else complain(problem, 'Enter a code.')
    })
    passkey.addEventListener('click', () => attempt(() => showPasskey(post)))
    leave.addEventListener('click', cancel)
    dialog.addEventListener('cancel', (event) => {
      event.preventDefault()
      cancel()
    })
  })
}

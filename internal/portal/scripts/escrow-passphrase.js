// Choosing a passphrase: six words made here, or one of one's own that is not
// guessed soon.

import { checkPassphrase, generatePassphrase, loadWords, normalizePassphrase, Problem, readRanks } from './escrow/escrow.js'
import { byId, copies, mask } from './dom.js'

const read = async (name) => {
  const answer = await fetch(new URL(`./escrow/${name}`, import.meta.url)).catch(() => null)
  if (!answer?.ok) throw new Problem('unreachable', 'A list of words could not be loaded. Check the connection, then try again')
  return answer.text()
}

let ranks // what is guessed first; large, so that it is loaded when it is wanted
const loadRanks = () => (ranks ??= read('ranks.txt').then(readRanks).catch((error) => {
  ranks = undefined
  throw error
}))

const weak = (text) => new Problem('weak', text)

// strong refuses a passphrase that will not do.
async function strong(passphrase) {
  const { ok, problem } = checkPassphrase(passphrase, await loadRanks())
  if (!ok) throw weak(problem)
  return normalizePassphrase(passphrase)
}

// choosing makes the form of a passphrase work, and gives what reads it: the
// passphrase, or a Problem. present is the passphrase that may be kept.
export async function choosing(form, present) {
  const [made, own, output, next, again, kept, strength] = ['made', 'own', 'words', 'new', 'again', 'kept', 'strength'].map(byId)
  const list = await loadWords(read)
  const way = () => form.querySelector('input[name=way]:checked').value
  const draw = () => {
    output.textContent = generatePassphrase(list)
    kept.checked = false
  }
  draw()
  for (const field of [next, again]) mask(field)
  copies(byId('copy-words'), () => output.textContent, output)
  byId('other-words').addEventListener('click', draw)
  byId('see').addEventListener('change', (event) => {
    for (const field of [next, again]) mask(field, !event.target.checked)
  })
  form.addEventListener('change', ({ target }) => {
    if (target.name !== 'way') return
    made.hidden = way() !== 'made'
    own.hidden = way() !== 'own'
    kept.checked = false
    if (way() === 'own') {
      next.focus()
      loadRanks().catch(() => {}) // said when it is needed
    }
  })
  let typed = 0
  next.addEventListener('input', () => {
    clearTimeout(typed)
    typed = setTimeout(async () => {
      if (!next.value) return
      strength.textContent = await strong(next.value).then(() => 'Strong enough.', (error) => error.message)
    }, 250)
  })
  return async () => {
    let passphrase = output.textContent
    if (way() === 'own') {
      passphrase = await strong(next.value)
      if (normalizePassphrase(again.value) !== passphrase) throw weak('The two are not the same. Type both again.')
    } else if (way() === 'keep') {
      passphrase = await strong(present).catch(() => { throw weak('The present passphrase is weaker than one may be today. Choose another.') })
    }
    if (!kept.checked) throw weak('Put the passphrase into your break-glass scheme first, and say so. Without it, and without recovery sheets, nobody opens anything.')
    next.value = again.value = ''
    output.textContent = ''
    return passphrase
  }
}

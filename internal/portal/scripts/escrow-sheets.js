// Recovery sheets: printed, and typed in again. A share is on the page while it is
// to be printed, and goes nowhere else.

import { checkShares, parseShare, Problem } from './escrow/escrow.js'
import { byId, el } from './dom.js'
import { words } from './escrow-words.js'

// sheet is one share on paper.
function sheet(share, x, { kid, tenant, set, k, n }) {
  const groups = share.split('-')
  const code = el('code', { class: 'share', translate: 'no' })
  groups.forEach((group, i) => code.append(...(i ? ['-', el('wbr')] : []), group))
  const fact = (name, value) => el('div', {}, el('dt', {}, name), el('dd', {}, value))
  return el('article', { class: 'sheet', 'aria-label': `Sheet ${x} of ${n}` },
    el('h3', {}, `Recovery sheet ${x} of ${n}`),
    el('p', {}, `Any ${k} of these ${n} sheets together open the escrow key of a tenant, and with it every secret that its machines handed over. Keep this one where nobody reads it, apart from the others.`),
    code,
    el('dl', { class: 'facts' }, fact('Tenant', tenant), fact('Key', el('code', {}, kid)), fact('Set', el('code', {}, set)),
      fact('Printed', new Date().toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric' })), fact('Entered at', `${location.origin}/escrow/recover`)))
}

const option = (n, selected) => el('option', { value: n, selected }, String(n))

// cutting fills the two selects: k is never more than n.
export function cutting() {
  const [n, k] = ['n', 'k'].map(byId)
  const fit = (want) => k.replaceChildren(...Array.from({ length: n.value - 1 }, (_, i) => option(i + 2, i + 2 === Math.min(want, n.value))))
  n.replaceChildren(...Array.from({ length: 15 }, (_, i) => option(i + 2, i + 2 === 5)))
  fit(3)
  n.addEventListener('change', () => fit(Number(k.value)))
}

// lay puts the sheets on the page.
export const lay = (recovery, keys, tenant) => byId('sheets').replaceChildren(...recovery.shares.map((share, i) => sheet(share, i + 1, { ...recovery, kid: keys.kid, tenant })))

// fields are inputs for k shares; each says at once whether it was typed rightly.
export function fields(into, k) {
  const list = Array.from({ length: k }, (_, i) => {
    const area = el('textarea', { id: `share-${i}`, rows: '4', autocomplete: 'off', autocapitalize: 'characters', spellcheck: 'false', maxlength: '512', 'aria-describedby': `share-${i}-said`, translate: 'no' })
    const said = el('p', { class: 'hint said', id: `share-${i}-said`, role: 'status' })
    const judge = (text, wrong) => {
      said.textContent = text
      said.className = wrong ? 'issue said' : 'hint said'
      if (wrong) area.setAttribute('aria-invalid', 'true')
      else area.removeAttribute('aria-invalid')
    }
    const look = async () => {
      const text = area.value
      try {
        const s = await parseShare(text.replaceAll('\n', ' '))
        if (area.value === text) judge(`Sheet ${s.x} of ${s.n}, set ${s.set}: typed as it was printed.`)
      } catch (error) {
        if (area.value === text) judge(words(error), true)
      }
    }
    // While somebody types it is only said what is right: nothing moves below.
    area.addEventListener('input', () => {
      judge('')
      if (area.value.replace(/[-\s]/g, '').length >= 84) look()
    })
    area.addEventListener('change', () => { if (area.value.trim()) look() })
    into.append(el('div', { class: 'field' }, el('label', { for: `share-${i}` }, `Text of a${i ? 'nother' : ''} sheet (${i + 1} of ${k})`), area, said))
    return area
  })
  return {
    // typed is what was typed, one share each.
    typed() {
      const filled = list.map((area) => area.value.replaceAll('\n', ' ').trim()).filter(Boolean)
      if (filled.length < k) throw new Problem('shares', `Type what stands on ${k} sheets; ${filled.length} ${filled.length === 1 ? 'is' : 'are'} there`)
      return filled
    },
    clear() {
      for (const area of list) area.value = ''
      into.replaceChildren()
    },
  }
}

// verify holds what was typed against the copy that it must open.
export const verify = (recovery, keys, typed) => checkShares(recovery.sealed, keys.kid, typed)

// The steps of recovery sheets: they are made and printed, then typed in again.

import { Problem } from './escrow/escrow.js'
import { begun, hold } from './escrow-open.js'
import { cutting, fields, lay, verify } from './escrow-sheets.js'
import { doing, step, tenant } from './escrow-stage.js'
import { words } from './escrow-words.js'
import { busy, byId, complain } from './dom.js'

// share prints sheets for keys and has them typed in again: {recovery, keys}. keys
// is made once it is wanted.
export async function share(make) {
  cutting()
  const form = byId('step-sheets')
  let keys, recovery
  byId('cut').onclick = () => busy(form, async () => {
    const problem = form.querySelector('[role=alert]')
    complain(problem, '')
    try {
      doing(keys ? 'Making the sheets…' : 'Making the key: this takes a few seconds…')
      keys ??= hold(await make())
      begun()
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

// The page of a way: which of its steps is shown, and what is said beneath.

import { words } from './escrow-words.js'
import { busy, byId, complain } from './dom.js'

export const page = byId('escrow')
export const { flow, tenant } = page.dataset
export const doing = (text) => { byId('doing').textContent = text }

// turn shows one step, and reads its heading out.
export function turn(name) {
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
export function step(name, submit) {
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

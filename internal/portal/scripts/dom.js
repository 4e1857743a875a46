// Small things that the pages of escrow make their parts of. Text goes in as text.

export const byId = (id) => document.getElementById(id)

// el makes an element; an attribute that is undefined or false is left out.
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) node.setAttribute(name, value === true ? '' : value)
  }
  node.append(...children)
  return node
}

// complain says in a role=alert what is wrong; '' takes it back.
export function complain(node, text) {
  node.textContent = text
  node.hidden = !text
}

// badge is a state in a word.
export const badge = (kind, text) => el('span', { class: `badge ${kind}` }, text)

// day is a time as the pages write it.
export function day(text) {
  const at = new Date(text)
  if (isNaN(at)) return '—'
  return el('time', { datetime: at.toISOString() }, at.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' }))
}

// table is a table with a heading for each column; a row's first cell names it.
export function table(label, headings, rows) {
  const body = rows.map(([first, ...others]) => el('tr', {}, el('th', { scope: 'row' }, first), ...others.map((cell) => el('td', {}, cell))))
  return el('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': label },
    el('table', {}, el('thead', {}, el('tr', {}, ...headings.map((h) => el('th', { scope: 'col' }, h)))), el('tbody', {}, ...body)))
}

// copies makes a button put a text on the clipboard, and say so for a moment.
export function copies(button, text, select) {
  const label = button.textContent
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(text())
      button.textContent = 'Copied'
    } catch {
      getSelection().selectAllChildren(select)
      button.textContent = 'Press Ctrl C'
    }
    setTimeout(() => { button.textContent = label }, 2000)
  })
}

// busy runs the work of a form, once at a time.
export async function busy(form, work) {
  if (form.hasAttribute('aria-busy')) return undefined
  const buttons = form.matches('button') ? [form] : form.querySelectorAll('button')
  form.setAttribute('aria-busy', 'true')
  for (const button of buttons) button.setAttribute('aria-disabled', 'true')
  try {
    return await work()
  } finally {
    form.removeAttribute('aria-busy')
    for (const button of buttons) button.removeAttribute('aria-disabled')
  }
}

// mask hides what is typed. The input is of text, which no password manager keeps
// and no browser fills in; where a browser cannot mask that, it is a password.
export function mask(input, on = true) {
  if (CSS.supports('-webkit-text-security', 'disc')) input.classList.toggle('masked', on)
  else input.type = on ? 'password' : 'text'
}

// What pages do beyond what they do without scripts. Nothing depends on it.

// Times come in the zone that a cookie names. A reader whose cookie is missing or
// old gets them rewritten, in the same form and width.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
if (zone && zone !== document.body.dataset.zone && /^[A-Za-z0-9_+\-/]{1,64}$/.test(zone)) {
  document.cookie = `__Host-portreeve-zone=${zone}; Path=/; Secure; SameSite=Lax; Max-Age=31536000`
  const parts = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' })
  const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
  for (const time of document.querySelectorAll('time[datetime]')) {
    const at = new Date(time.dateTime)
    if (isNaN(at)) continue
    const p = Object.fromEntries(parts.formatToParts(at).map(({ type, value }) => [type, value]))
    const month = months[Number(new Intl.DateTimeFormat('en-GB', { month: 'numeric' }).format(at)) - 1]
    const text = `${p.day} ${month} ${p.year}, ${p.hour}:${p.minute}${time.classList.contains('exact') ? `:${p.second}` : ''}`
    if (time.classList.contains('ago')) time.title = text
    else time.textContent = text
  }
  for (const name of document.querySelectorAll('[data-zone-name]')) name.textContent = zone
}

// Copy buttons say what they did for a moment.
document.addEventListener('click', async (event) => {
  const button = event.target.closest('button[data-copy]')
  if (!button) return
  const label = button.querySelector('span') ?? button
  try {
    await navigator.clipboard.writeText(button.dataset.copy)
    label.textContent = 'Copied'
  } catch {
    const code = button.parentElement.querySelector('code')
    if (code) getSelection().selectAllChildren(code)
    label.textContent = 'Press Ctrl C'
  }
  setTimeout(() => { label.textContent = 'Copy' }, 2000)
})

// A form is sent once; the server holds to that too.
document.addEventListener('submit', (event) => {
  const form = event.target
  if (event.defaultPrevented || form.method !== 'post') return
  if (form.dataset.sent) { event.preventDefault(); return }
  form.dataset.sent = 'yes'
  form.setAttribute('aria-busy', 'true')
})
// A page that the back button brings out of memory may be sent again; the server
// says what became of the first.
addEventListener('pageshow', (event) => {
  if (event.persisted) for (const form of document.querySelectorAll('form[data-sent]')) { delete form.dataset.sent; form.removeAttribute('aria-busy') }
})

// "/" goes to the filter of a list, Escape closes what is open.
addEventListener('keydown', (event) => {
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)
  if (event.key === '/' && !typing && !event.ctrlKey && !event.metaKey) {
    const filter = document.querySelector('.filter input')
    if (filter) { event.preventDefault(); filter.focus() }
  }
  if (event.key === 'Escape') {
    if (location.hash === '#menu') location.hash = '#main'
    const open = document.querySelector('.me[open]')
    if (open) { open.open = false; open.querySelector('summary').focus() }
  }
})

// What is wrong with a form is read out first.
document.getElementById('problems')?.focus()

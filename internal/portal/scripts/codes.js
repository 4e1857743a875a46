// Keeping backup codes: a file or a sheet of paper, besides copying them.

const list = document.getElementById('codes')
const download = document.getElementById('download')
const print = document.getElementById('print')

// The file is made here; nothing is asked for it.
function keep() {
  const codes = Array.from(list.querySelectorAll('code'), (code) => code.textContent)
  const text = `Backup codes for ${list.dataset.site}. Each works once.\n\n${codes.join('\n')}\n`
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/plain' }))
  link.download = 'backup-codes.txt'
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}

if (list && download && print) {
  download.hidden = print.hidden = false
  download.addEventListener('click', keep)
  print.addEventListener('click', () => globalThis.print())
}

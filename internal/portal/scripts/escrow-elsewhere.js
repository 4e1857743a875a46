// Where the API of escrow has a host of its own, whoever is signed in at the portal
// need not be there: Access sets a cookie for each host.

export const { api } = document.body.dataset
export const host = api && new URL(api).host

// absent is what a call that got no answer (0) or 401 means there; '' where the
// portal's own host answers for itself. Access leads whoever is signed out away, which
// a script of another origin cannot tell from a broken line.
export function absent(status) {
  if (!host) return ''
  return status ? `You are not signed in at ${host}, or not any more. Open ${api} in another tab, sign in there, then try again here: nothing on this page is lost.`
    : `No answer from ${host}. You may not be signed in there: open ${api} in another tab and sign in. If that is not it, check the connection. Then try again here: nothing on this page is lost.`
}

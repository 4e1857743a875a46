// Showing a passkey as a second factor (WebAuthn Level 3): the bytes of the API's
// JSON are base64url.

export const decode = (text) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0)).buffer
export const encode = (buffer) => btoa(Array.from(new Uint8Array(buffer), (b) => String.fromCharCode(b)).join('')).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')

// showPasskey has somebody show one: {verified, stepUpToken, expiresIn}. post calls
// the API.
export async function showPasskey(post) {
  const { publicKey } = await post('/mfa/passkeys/login/begin', {})
  publicKey.challenge = decode(publicKey.challenge)
  for (const key of publicKey.allowCredentials ?? []) key.id = decode(key.id)
  const c = await navigator.credentials.get({ publicKey })
  const { clientDataJSON, authenticatorData, signature, userHandle } = c.response
  return post('/mfa/passkeys/login/finish', {
    id: c.id, rawId: encode(c.rawId), type: c.type, clientExtensionResults: c.getClientExtensionResults(), authenticatorAttachment: c.authenticatorAttachment ?? undefined,
    response: { clientDataJSON: encode(clientDataJSON), authenticatorData: encode(authenticatorData), signature: encode(signature), userHandle: userHandle ? encode(userHandle) : undefined },
  })
}

// Auth0's own Node client, driven by lines: it reads {"call","with"} and answers
// {"status","body"} or {"error"}, one line each, until its standard input ends.
// AUTH0_CLIENT is JSON of the client's options; NODE_EXTRA_CA_CERTS vouches for the
// domain, which the client always speaks https to. AUTH0_THROUGH is an origin that
// takes the domain's place for all but its keys, as an edge in front of it does; a
// line's "device" goes with its requests as Castle's request token.
import { createInterface } from 'node:readline';
import { AuthenticationClient, UserInfoClient } from 'auth0';

const options = JSON.parse(process.env.AUTH0_CLIENT);
const through = process.env.AUTH0_THROUGH;
let device;
const fetch = (url, init) => globalThis.fetch(through ? `${url}`.replace(`https://${options.domain}`, through) : url,
  { ...init, headers: { ...init?.headers, ...(device && { 'X-Castle-Request-Token': device }) } });
const { oauth, database } = new AuthenticationClient({ timeoutDuration: 20_000, ...options, fetch });
const people = new UserInfoClient({ domain: options.domain, timeoutDuration: 20_000, fetch });
const client = { client_id: options.clientId, client_secret: options.clientSecret };
const calls = {
  passwordGrant: (a) => oauth.passwordGrant(a),
  refreshTokenGrant: (a) => oauth.refreshTokenGrant(a),
  revokeRefreshToken: (a) => oauth.revokeRefreshToken(a),
  clientCredentialsGrant: (a) => oauth.clientCredentialsGrant(a),
  signUp: (a) => database.signUp(a),
  changePassword: (a) => database.changePassword(a),
  getUserInfo: (a) => people.getUserInfo(a.token),
  // The client has no methods of its own for MFA: these go through its transport.
  mfa: async ({ method = 'POST', path, token, body }) => read(await oauth.request({
    path, method, body, headers: { ...(body && { 'Content-Type': 'application/json' }), ...(token && { Authorization: `Bearer ${token}` }) },
  })),
  mfaGrant: async ({ kind, ...a }) => read(await oauth.request({
    path: '/oauth/token', method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ ...client, ...a, grant_type: `http://auth0.com/oauth/grant-type/mfa-${kind}` }),
  })),
};
const read = async (res) => ({ status: res.status, data: res.status === 204 ? null : await res.json() });

for await (const line of createInterface({ input: process.stdin })) {
  const { call, with: args, ...rest } = JSON.parse(line);
  device = rest.device;
  let said;
  try {
    const { status, data } = await calls[call](args);
    said = { status, body: data ?? null };
  } catch (e) {
    const body = (() => { try { return JSON.parse(e.body); } catch { return null; } })();
    said = { status: e.statusCode ?? 0, error: e.error ?? `${e.name}: ${e.message} ${e.cause ?? ''}`, description: e.error_description, body };
  }
  console.log(JSON.stringify(said));
}

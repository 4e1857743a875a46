// A certified OpenID provider on a free loopback port, for test/oidc. It prints
// one line of JSON when it is ready and ends when its standard input does.
// PROVIDER_WEB is JSON of one more client, which people sign in by: its forms
// take any name and password. Refresh tokens are rotated, access tokens live for
// a minute.
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';

const algs = { 'urn:test:rs256': 'RS256', 'urn:test:ps256': 'PS256', 'urn:test:es256': 'ES256', 'urn:test:eddsa': 'EdDSA' };
const keys = await Promise.all(Object.values(algs).map(async (alg) => ({
  ...await exportJWK((await generateKeyPair(alg, { extractable: true })).privateKey), alg, use: 'sig', kid: alg,
})));
const client = { client_id: 'robot', client_secret: 'robot-secret-robot-secret-robot-secret' };

const web = process.env.PROVIDER_WEB ? JSON.parse(process.env.PROVIDER_WEB) : null;
const forWeb = web && {
  cookies: { keys: ['a key for cookies that sign nothing of worth'] },
  findAccount: (_ctx, id) => ({
    accountId: id, claims: () => ({ sub: id, email: `${id}@example.com`, email_verified: true, groups: ['staff'] }),
  }),
  claims: { openid: ['sub', 'groups'], email: ['email', 'email_verified'] },
  conformIdTokenClaims: false,
  issueRefreshToken: async () => true,
  rotateRefreshToken: true,
  // The back channel of a test is on loopback, which the provider's own dispatcher refuses.
  fetch: (url, { dispatcher, ...options }) => globalThis.fetch(url, options),
  ttl: { AccessToken: 60, IdToken: 3600, RefreshToken: 86400, Session: 86400, Grant: 86400, Interaction: 600 },
};

const server = createServer().listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    jwks: { keys },
    clients: [{ ...client, grant_types: ['client_credentials'], redirect_uris: [], response_types: [] },
      ...(web ? [{ grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'], id_token_signed_response_alg: 'RS256', ...web }] : [])],
    scopes: ['orders:read', 'orders:write', ...(web ? ['openid', 'offline_access'] : [])],
    ...forWeb,
    extraTokenClaims: () => ({ roles: ['editor'], tenant_id: 'acme' }),
    features: {
      devInteractions: { enabled: Boolean(web) },
      backchannelLogout: { enabled: Boolean(web) },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_ctx, resource) => ({
          scope: 'orders:read orders:write', audience: resource, accessTokenFormat: 'jwt', accessTokenTTL: 600,
          jwt: { sign: { alg: algs[resource] } },
        }),
      },
    },
  });
  server.on('request', provider.callback());
  console.log(JSON.stringify({ issuer, client, algs }));
});
process.stdin.resume().on('end', () => process.exit(0));

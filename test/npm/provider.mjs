// A certified OpenID provider on a free loopback port, for test/oidc. It prints
// one line of JSON when it is ready and ends when its standard input does.
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';

const algs = { 'urn:test:rs256': 'RS256', 'urn:test:ps256': 'PS256', 'urn:test:es256': 'ES256', 'urn:test:eddsa': 'EdDSA' };
const keys = await Promise.all(Object.values(algs).map(async (alg) => ({
  ...await exportJWK((await generateKeyPair(alg, { extractable: true })).privateKey), alg, use: 'sig', kid: alg,
})));
const client = { client_id: 'robot', client_secret: 'robot-secret-robot-secret-robot-secret' };

const server = createServer().listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    jwks: { keys },
    clients: [{ ...client, grant_types: ['client_credentials'], redirect_uris: [], response_types: [] }],
    scopes: ['orders:read', 'orders:write'],
    extraTokenClaims: () => ({ roles: ['editor'], tenant_id: 'acme' }),
    features: {
      devInteractions: { enabled: false },
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

// A certified OpenID provider on a free loopback port at which people sign in, for
// test/browser: any name is an account, and any password is right. It prints one
// line of JSON when it is ready and ends when its standard input does. POST
// /test/client makes a client of an origin; POST /test/down says which path is
// refused from then on ("/" is every one, "" none); GET /test/refreshes counts.
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';
import MemoryAdapter from 'oidc-provider/lib/adapters/memory_adapter.js';

const key = { ...await exportJWK((await generateKeyPair('ES256', { extractable: true })).privateKey), alg: 'ES256', use: 'sig', kid: 'people' };
const clients = new Map();
let refuses = '';
const refreshes = { good: 0, bad: 0 };

class Adapter extends MemoryAdapter {
  async find(id) { return this.model === 'Client' ? clients.get(id) : super.find(id); }
}

// What a client of Portreeve's is registered as: README and how-tos say the same.
// A silent one is told auth_time where it asks for it alone.
const registered = ({ id, secret, origin, provider, silent }) => ({
  client_id: id, client_secret: secret, client_name: id,
  grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'],
  redirect_uris: [`${origin}/.portreeve/callback/${provider}`],
  post_logout_redirect_uris: [`${origin}/.portreeve/signed-out`],
  backchannel_logout_uri: `${origin}/.portreeve/backchannel/${provider}`, backchannel_logout_session_required: true,
  id_token_signed_response_alg: 'ES256', require_auth_time: !silent,
});

const read = async (req) => {
  let text = '';
  for await (const part of req) text += part;
  return JSON.parse(text);
};

const server = createServer().listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    adapter: Adapter,
    jwks: { keys: [key] },
    clients: [],
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
    pkce: { required: () => true },
    scopes: ['openid', 'email', 'offline_access'],
    claims: { email: ['email', 'email_verified'] },
    conformIdTokenClaims: false,
    findAccount: (_ctx, sub) => ({ accountId: sub, claims: async () => ({ sub, email: `${sub}@example.com`, email_verified: true }) }),
    // Access tokens live for two seconds, refresh tokens for one use.
    ttl: { AccessToken: 2, IdToken: 23 * 3600, Session: 3600, Grant: 3600, Interaction: 600, RefreshToken: 3600 },
    // Left to itself it wants prompt=consent for offline_access (OpenID Connect Core section 11).
    issueRefreshToken: async () => true,
    rotateRefreshToken: true,
    cookies: { keys: ['a key of the test'] },
    features: {
      devInteractions: { enabled: true },
      rpInitiatedLogout: { enabled: true },
      backchannelLogout: { enabled: true },
    },
    fetch: (url, { dispatcher, ...options }) => fetch(url, options), // its own refuses loopback
  });
  const of = (ctx) => ctx.oidc.params?.grant_type === 'refresh_token';
  provider.on('grant.success', (ctx) => { if (of(ctx)) refreshes.good += 1; });
  provider.on('grant.error', (ctx) => { if (of(ctx)) refreshes.bad += 1; });
  const serve = provider.callback();
  server.on('request', async (req, res) => {
    if (req.url === '/test/client') {
      const client = await read(req);
      clients.set(client.id, registered(client));
      res.writeHead(204).end();
    } else if (req.url === '/test/down') {
      refuses = (await read(req)).path;
      res.writeHead(204).end();
    } else if (req.url === '/test/refreshes') {
      res.end(JSON.stringify(refreshes));
    } else if (refuses && req.url.startsWith(refuses)) {
      req.socket.destroy();
    } else {
      serve(req, res);
    }
  });
  console.log(JSON.stringify({ issuer }));
});
process.stdin.resume().on('end', () => process.exit(0));

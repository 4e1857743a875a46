// Two independent verifiers of Cloudflare Access tokens, for test/flows: the
// middleware of Hono and the plugin of Cloudflare Pages. The one argument is
// {team, aud, certs}: the team's name, the application's audience, and where
// the team's keys really are. Each line of standard input is the headers of a
// request as JSON; each line of standard output what the two made of it.
import { createInterface } from 'node:readline';
import { cloudflareAccess } from '@hono/cloudflare-access';
import pages from '@cloudflare/pages-plugin-cloudflare-access';
import { Hono } from 'hono';

const { team, aud, certs } = JSON.parse(process.argv[2]);
const domain = `https://${team}.cloudflareaccess.com`;

// Neither can be told another place for the keys; everything else is refused.
const real = globalThis.fetch;
globalThis.fetch = (url, init) => (String(url) === `${domain}/cdn-cgi/access/certs`
  ? real(certs, init)
  : Promise.reject(new Error(`unexpected fetch of ${url}`)));

const hono = new Hono();
hono.use('*', cloudflareAccess(team, aud));
hono.get('/', (c) => c.json(c.get('accessPayload')));
const plugin = pages({ domain, aud });

for await (const line of createInterface({ input: process.stdin })) {
  const request = () => new Request('https://app.example.test/', { headers: JSON.parse(line) });
  const nothing = () => {};
  const byHono = await hono.fetch(request());
  const byPlugin = await plugin({
    request: request(), functionPath: '', env: {}, data: {},
    next: async () => new Response('in'), waitUntil: nothing, passThroughOnException: nothing,
  });
  console.log(JSON.stringify({ hono: byHono.status === 200, plugin: byPlugin.status === 200 }));
}

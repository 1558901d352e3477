// A real OpenID provider on a free port of 127.0.0.1, for tests:
//   node provider.mjs FOLDER CERTIFICATE KEY
// FOLDER has oidc-provider in its node_modules. It prints one line of JSON when it listens, and ends
// with its standard input.
//
// Every client but `pop` is a program of one account, which it names: its tokens say
// `NAME@example.org`. A token asked for with the resource https://pop.example.org/jwt is a JWT, any
// other is opaque. `pop` may introspect, and nobody else.
import { createServer } from 'node:https';
import { generateKeyPairSync, webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const [folder, certificate, key] = process.argv.slice(2);
const library = `${folder}/node_modules/oidc-provider/lib/index.js`;
// What Node.js 18, which is Debian 12's, lacks of what the library wants.
globalThis.crypto ??= webcrypto;
globalThis.CryptoKey ??= webcrypto.CryptoKey;
URL.parse ??= (text, base) => {
  try {
    return new URL(text, base);
  } catch {
    return null;
  }
};
const { default: Provider } = await import(pathToFileURL(library).href);

const AUDIENCE = 'https://pop.example.org/';
const program = (name) => ({
  client_id: name,
  client_secret: `secret of ${name}`,
  grant_types: ['client_credentials', 'urn:ietf:params:oauth:grant-type:device_code'],
  response_types: [],
  redirect_uris: [],
  token_endpoint_auth_method: 'client_secret_post',
});

function signingKey(kid) {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...privateKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' };
}

const configuration = {
  clients: [
    ...['bob', 'alice', 'nobody', 'unverified'].map(program),
    {
      client_id: 'pop',
      client_secret: 'the / secret: of pop',
      grant_types: [],
      response_types: [],
      redirect_uris: [],
      token_endpoint_auth_method: 'client_secret_basic',
    },
  ],
  jwks: { keys: [signingKey('one'), signingKey('two')] },
  clientDefaults: { id_token_signed_response_alg: 'ES256' },
  cookies: { keys: ['only for tests'] },
  scopes: ['openid', 'mail'],
  ttl: { ClientCredentials: 600, AccessToken: 600 },
  features: {
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    devInteractions: { enabled: true },
    introspection: {
      enabled: true,
      allowedPolicy: (ctx, client) => client.clientId === 'pop',
    },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => `${AUDIENCE}opaque`,
      useGrantedResource: () => true,
      getResourceServerInfo: (ctx, resource) => ({
        scope: 'mail other',
        audience: resource.startsWith(AUDIENCE) ? AUDIENCE : resource,
        accessTokenFormat: resource.endsWith('/jwt') ? 'jwt' : 'opaque',
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  extraTokenClaims: (ctx, token) => {
    const name = token.accountId ?? token.clientId;
    return { email: `${name}@example.org`, email_verified: name !== 'unverified' };
  },
};

let answer;
const tls = { cert: readFileSync(certificate), key: readFileSync(key) };
const server = createServer(tls, (request, response) => answer(request, response));
server.listen(0, '127.0.0.1', () => {
  const issuer = `https://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, configuration);
  answer = provider.callback();
  process.stdout.write(`${JSON.stringify({ issuer, audience: AUDIENCE })}\n`);
});
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));

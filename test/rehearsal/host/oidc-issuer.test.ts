import { createServer, type Server } from 'node:http';
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, jwtVerify, SignJWT } from 'jose';
import type { Environment } from '../../../lambda/contract/switches.ts';
import type { Issuer } from '../../../rehearsal/host/authorizer.ts';
import { oidcIssuerOf } from '../../../rehearsal/host/oidc-issuer.ts';
import { freePort } from '../../../rehearsal/servers/process.ts';
import { listen } from '../../support/http.ts';

const DISCOVERY = '/tenant/.well-known/openid-configuration';

let first: CryptoKey;
let url: string;
let answers: Record<string, unknown>;
let asked: string[];

beforeAll(async () => {
  url = `${await listen(issuing())}/tenant`;
  first = await newKey('first');
});

beforeEach(async () => {
  asked = [];
  answers = {
    [DISCOVERY]: { issuer: url, jwks_uri: `${url}/keys`, token_endpoint: `${url}/token` },
    '/tenant/keys': { keys: published },
  };
  answers['/elsewhere'] = answers[DISCOVERY];
});

const published: JWK[] = [];

/** Sends whoever asks to another place. */
const ELSEWHERE = Symbol('elsewhere');

/** An issuer's two documents; one that it does not have is a 404. */
const issuing = (): Server =>
  createServer((request, response) => {
    asked.push(request.url ?? '');
    const answer = answers[request.url ?? ''];
    if (answer === ELSEWHERE) return void response.writeHead(302, { location: '/elsewhere' }).end();
    response.statusCode = answer === undefined ? 404 : 200;
    response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
  });

async function newKey(kid: string): Promise<CryptoKey> {
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  published.push({ ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' });
  return privateKey;
}

const token = (kid = 'first', key = first) =>
  new SignJWT({}).setProtectedHeader({ alg: 'RS256', kid }).setIssuer(url).setExpirationTime('1h').sign(key);

function configured(): Issuer {
  const issuer = oidcIssuerOf({ OIDC_ISSUER: url, OIDC_AUDIENCE: 'cutover' });
  if (!issuer) throw new Error('no issuer');
  return issuer;
}

const verify = async ({ keyOf }: Issuer, jwt: string) =>
  (await jwtVerify(jwt, keyOf, { issuer: url })).payload;

describe('the keys', () => {
  test('are found by discovery, once, and not before they are needed', async () => {
    const issuer = configured();
    expect({ ...issuer, asked }).toMatchObject({ issuer: url, audience: 'cutover', asked: [] });
    for (let times = 0; times < 3; times += 1) {
      expect(await verify(issuer, await token())).toMatchObject({ iss: url });
    }
    expect(asked).toEqual([DISCOVERY, '/tenant/keys']);
  });

  test('that the issuer does not have are the token’s fault', async () => {
    await expect(verify(configured(), await token('another'))).rejects.toMatchObject({
      code: 'ERR_JWKS_NO_MATCHING_KEY',
    });
  });
});

describe('an issuer that cannot be asked is a 503, and is asked again', () => {
  test.each<[string, () => void, string]>([
    ['that is elsewhere now', () => Object.assign(answers, { [DISCOVERY]: ELSEWHERE }), 'fetch failed'],
    ['without a discovery document', () => delete answers[DISCOVERY], 'openid-configuration answers 404'],
    ['with one that is no JSON', () => Object.assign(answers, { [DISCOVERY]: '<html>' }), 'JSON'],
    [
      'with one of another issuer',
      () => Object.assign(answers, { [DISCOVERY]: { issuer: 'https://other', jwks_uri: `${url}/keys` } }),
      'https://other',
    ],
    [
      'with keys that anybody in between could change',
      () => Object.assign(answers, { [DISCOVERY]: { issuer: url, jwks_uri: 'http://keys.example.com' } }),
      'jwks_uri is no https:// URL',
    ],
    ['without keys', () => delete answers['/tenant/keys'], 'Expected 200 OK'],
    [
      'with keys that are none',
      () => Object.assign(answers, { '/tenant/keys': { keys: 3 } }),
      'JSON Web Key Set',
    ],
  ])('%s', async (_what, breakIt, reason) => {
    const issuer = configured();
    const whole = { ...answers };
    breakIt();
    await expect(verify(issuer, await token())).rejects.toMatchObject({
      name: 'ProblemError',
      status: 503,
      message: expect.stringMatching(
        new RegExp(`^the keys of the issuer ${url} cannot be had now: .*${reason}`),
      ),
    });
    answers = whole;
    expect(await verify(issuer, await token())).toMatchObject({ iss: url });
  });

  test('where nobody listens', async () => {
    const at = `http://127.0.0.1:${await freePort()}`;
    const issuer = oidcIssuerOf({ OIDC_ISSUER: at, OIDC_AUDIENCE: 'cutover' });
    const asking = issuer && verify(issuer, await token());
    await expect(asking).rejects.toMatchObject({ name: 'ProblemError', status: 503 });
  });
});

describe('the configuration', () => {
  test.each<Environment>([{}, { OIDC_ISSUER: '', OIDC_AUDIENCE: '' }])('may name no issuer: %j', (none) => {
    expect(oidcIssuerOf(none)).toBeUndefined();
  });

  test.each(['https://login.example.com/tenant', 'http://localhost:8080', 'http://[::1]:8080/x'])(
    'may name %s',
    (OIDC_ISSUER) => {
      expect(oidcIssuerOf({ OIDC_ISSUER, OIDC_AUDIENCE: 'a' })).toMatchObject({ issuer: OIDC_ISSUER });
    },
  );

  test.each<[Environment, string]>([
    [{ OIDC_ISSUER: 'https://login.example.com' }, 'OIDC_ISSUER is set without OIDC_AUDIENCE; set both'],
    [{ OIDC_AUDIENCE: 'cutover' }, 'OIDC_AUDIENCE is set without OIDC_ISSUER; set both'],
    [
      { OIDC_ISSUER: 'http://login.example.com', OIDC_AUDIENCE: 'a' },
      'OIDC_ISSUER=http://login.example.com is no',
    ],
    [
      { OIDC_ISSUER: 'login.example.com', OIDC_AUDIENCE: 'a' },
      'OIDC_ISSUER=login.example.com is no https://',
    ],
    [{ OIDC_ISSUER: 'https://example.com/?a=1', OIDC_AUDIENCE: 'a' }, 'without query and fragment'],
    [{ OIDC_ISSUER: 'ftp://localhost', OIDC_AUDIENCE: 'a' }, 'OIDC_ISSUER=ftp://localhost is no https://'],
  ])('%j is refused by name', (environment, message) => {
    expect(() => oidcIssuerOf(environment)).toThrow(
      expect.objectContaining({ name: 'UsageError', message: expect.stringContaining(message) }),
    );
  });
});

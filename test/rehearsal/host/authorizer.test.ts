import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { APIGatewayProxyEventV2WithJWTAuthorizer } from 'aws-lambda';
import { type CryptoKey, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { ProblemError } from '../../../lambda/contract/problem.ts';
import { type Issuer, jwtAuthorizer } from '../../../rehearsal/host/authorizer.ts';
import { createHost } from '../../../rehearsal/host/host.ts';
import { ask, listen } from '../../support/http.ts';

const ISSUER = 'https://issuer.example.com';
const AUDIENCE = 'cutover';
const now = () => Math.floor(Date.now() / 1000);

let key: CryptoKey;
let url: string;
let issuer: Issuer;
let seen: APIGatewayProxyEventV2WithJWTAuthorizer | undefined;

beforeAll(async () => {
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  key = privateKey;
  issuer = { issuer: ISSUER, audience: AUDIENCE, keyOf: () => publicKey };
  url = await hosted(issuer);
});

beforeEach(() => {
  seen = undefined;
});

const hosted = (by: Issuer) =>
  listen(
    createHost(
      async (event) => {
        seen = event as APIGatewayProxyEventV2WithJWTAuthorizer;
        return { statusCode: 200 };
      },
      { gates: [jwtAuthorizer(by)] },
    ),
  );

const GOOD = { iss: ISSUER, aud: AUDIENCE, sub: 'somebody', scope: 'flags:write flags:read' };

const signed = (claims: JWTPayload, by: CryptoKey | Uint8Array = key, alg = 'RS256') =>
  new SignJWT({ exp: now() + 60, ...claims }).setProtectedHeader({ alg }).sign(by);

const asked = (authorization: string | undefined, path = '/api/admin/flags', at = url) =>
  ask(at, { method: 'POST', path, headers: authorization === undefined ? {} : { authorization } });

describe('a good token', () => {
  test('reaches the function as claims that are texts, and as scopes', async () => {
    const exp = now() + 60;
    const claims = {
      ...GOOD,
      exp,
      admin: true,
      nothing: null,
      groups: ['a', 'b'],
      address: { city: 'Oslo' },
    };
    const token = await signed(claims);
    expect((await asked(`Bearer ${token}`)).status).toBe(200);
    expect(seen?.requestContext.authorizer).toEqual({
      jwt: {
        claims: {
          iss: ISSUER,
          aud: AUDIENCE,
          sub: 'somebody',
          scope: 'flags:write flags:read',
          exp: String(exp),
          admin: 'true',
          groups: '[a b]',
          address: '{"city":"Oslo"}',
        },
        scopes: ['flags:write', 'flags:read'],
      },
    });
    expect(seen?.requestContext.http.path).toBe('/api/admin/flags');
  });

  test.each<[string, JWTPayload]>([
    ['one of several audiences', { aud: ['other', AUDIENCE] }],
    ['client_id where there is no aud', { aud: undefined, client_id: AUDIENCE }],
    ['no scope, which is for the function to refuse', { scope: undefined }],
  ])('may have %s', async (_what, claims) => {
    expect((await asked(`bearer ${await signed({ ...GOOD, ...claims })}`)).status).toBe(200);
    expect(seen?.requestContext.authorizer.jwt.claims['sub']).toBe('somebody');
  });
});

test.each<[JWTPayload, string[] | null]>([
  [{ scope: 'flags:write' }, ['flags:write']],
  [{ scp: ['flags:write', 'b'] }, ['flags:write', 'b']],
  [{ scp: 'flags:write b' }, ['flags:write', 'b']],
  [{}, null],
])('the scopes of %j are %j', async (granted, scopes) => {
  await asked(`Bearer ${await signed({ ...GOOD, scope: undefined, ...granted })}`);
  expect(seen?.requestContext.authorizer.jwt.scopes).toEqual(scopes);
});

describe('refused with 401, and the function is not asked', () => {
  const expectRefusal = async (authorization: string | undefined, detail: string) => {
    const { status, headers, text } = await asked(authorization);
    expect({ status, problem: JSON.parse(text) }).toEqual({
      status: 401,
      problem: { type: 'about:blank', title: 'Unauthorized', status: 401, detail },
    });
    expect(headers).toMatchObject({
      'content-type': 'application/problem+json',
      'www-authenticate': 'Bearer',
    });
    expect(seen).toBeUndefined();
  };

  test.each([
    [undefined, 'authorization has no token; send "Authorization: Bearer <token>"'],
    ['Basic dXNlcjpwYXNz', 'authorization: the token is not "Bearer <token>"'],
    ['Bearer', 'authorization: the token is not "Bearer <token>"'],
    ['Bearer a b', 'authorization: the token is not "Bearer <token>"'],
    ['Bearer hunter2', 'authorization: the token is not good: Invalid Compact JWS'],
  ])('%j', expectRefusal);

  test.each<[string, JWTPayload, string]>([
    ['an expired one', { exp: now() - 1 }, 'has expired; get a new one'],
    ['one for later', { nbf: now() + 60 }, 'is not good: "nbf" claim timestamp check failed'],
    ['one without an end', { exp: undefined }, 'is not good: missing required "exp" claim'],
    [
      'one of another issuer',
      { iss: 'https://evil.example.com' },
      'is not good: unexpected "iss" claim value',
    ],
    ['one for another audience', { aud: 'other' }, 'is not for the audience cutover'],
    ['one for nobody', { aud: undefined }, 'is not for the audience cutover'],
    [
      'client_id beside another aud',
      { aud: 'other', client_id: AUDIENCE },
      'is not for the audience cutover',
    ],
  ])('%s', async (_what, claims, detail) => {
    await expectRefusal(
      `Bearer ${await signed({ ...GOOD, ...claims })}`,
      `authorization: the token ${detail}`,
    );
  });

  test('one that somebody else has signed', async () => {
    const { privateKey } = await generateKeyPair('RS256');
    const token = await signed(GOOD, privateKey);
    await expectRefusal(
      `Bearer ${token}`,
      'authorization: the token is not good: signature verification failed',
    );
  });

  test('one that nobody has signed, or anybody with a password', async () => {
    const notAllowed =
      'authorization: the token is not good: "alg" (Algorithm) Header Parameter value not allowed';
    const password = new Uint8Array(32);
    await expectRefusal(`Bearer ${await signed(GOOD, password, 'HS256')}`, notAllowed);
    await expectRefusal(`Bearer ${new UnsecuredJWT(GOOD).setExpirationTime('1h').encode()}`, notAllowed);
  });
});

describe('the gate', () => {
  test.each(['/api/config/flags', '/api/users/u/mocs', '/api/admin', '/'])(
    'asks nobody at %s, and claims nothing in his name',
    async (path) => {
      expect((await asked('Bearer rubbish', path)).status).toBe(200);
      expect(seen?.requestContext).not.toHaveProperty('authorizer');
    },
  );

  test.each(['/api/%61dmin/flags', '/api/admin%2Fflags', '/api/admin/', '/api/admin/flags?x=/api/config'])(
    'knows an admin route however it is written: %s',
    async (path) => {
      expect((await asked(undefined, path)).status).toBe(401);
    },
  );

  test('answers 503 while nobody can be asked for the keys', async () => {
    const away = new ProblemError(503, 'the keys cannot be had now');
    const at = await hosted({ ...issuer, keyOf: () => Promise.reject(away) });
    const { status, headers, text } = await asked(`Bearer ${await signed(GOOD)}`, '/api/admin/flags', at);
    expect({ status, retryAfter: headers['retry-after'] }).toEqual({ status: 503, retryAfter: '5' });
    expect(JSON.parse(text)).toMatchObject({ detail: away.message });
  });
});

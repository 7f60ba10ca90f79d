import { beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { PUBLIC_FLAGS_THROTTLE } from '../../../lambda/contract/flag-routes.ts';
import { migrate } from '../../../lambda/database/migrate.ts';
import { admissionOf } from '../../../rehearsal/host/admission.ts';
import { jwtAuthorizer } from '../../../rehearsal/host/authorizer.ts';
import { createHost, type Handler } from '../../../rehearsal/host/host.ts';
import { localIssuer } from '../../../rehearsal/host/local-issuer.ts';
import { wiredApi } from '../../support/deployed.ts';
import { ask, listen } from '../../support/http.ts';
import { freshDatabase } from '../../support/servers.ts';

let handler: Handler;

beforeAll(async () => {
  const { url: DATABASE_URL } = await freshDatabase();
  await migrate(DATABASE_URL);
  handler = await wiredApi({ NODE_ENV: 'test', DATABASE_URL });
});

const create = (url: string, token: string, key: string) =>
  ask(url, {
    method: 'POST',
    path: '/api/admin/flags',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ key, enabled: true }),
  });

const tokenIn = (text: string) => /^TOKEN=(\S+)$/m.exec(text)?.[1] ?? '';

describe('an issuer of our own', () => {
  test('prints a token that may write, in its name, for eight hours', async () => {
    const { gates, howToWrite } = await admissionOf({});
    const url = await listen(createHost(handler, { gates }));
    const printed = howToWrite(url);
    const token = tokenIn(printed);
    const { iat = 0, exp = 0, ...claims } = decodeJwt(token);
    expect({ ...claims, hours: (exp - iat) / 3600 }).toMatchObject({
      sub: 'local',
      scope: 'flags:write',
      hours: 8,
    });
    expect(printed).toContain(`curl -X POST ${url}/api/admin/flags -H "authorization: Bearer $TOKEN"`);
    const { status, text } = await create(url, token, 'new-menu');
    expect({ status, flag: JSON.parse(text) }).toMatchObject({
      status: 201,
      flag: { key: 'new-menu', enabled: true, updatedBy: 'local' },
    });
  });

  test('does not take the token of an earlier one', async () => {
    const [{ gates }, earlier] = [await admissionOf({}), await admissionOf({})];
    const url = await listen(createHost(handler, { gates }));
    expect((await create(url, tokenIn(earlier.howToWrite(url)), 'another')).status).toBe(401);
  });
});

test('a good token without the scope is the function’s to refuse, with 403', async () => {
  const { issuer, token } = await localIssuer('flags:read');
  const url = await listen(createHost(handler, { gates: [jwtAuthorizer(issuer)] }));
  const { status, text } = await create(url, token, 'another');
  expect({ status, detail: JSON.parse(text).detail }).toEqual({
    status: 403,
    detail: 'the token does not grant the scope flags:write',
  });
});

test('an issuer that the environment names gets no token of ours printed', async () => {
  const OIDC_ISSUER = 'https://login.example.com';
  const { howToWrite } = await admissionOf({ OIDC_ISSUER, OIDC_AUDIENCE: 'cutover' });
  const printed = howToWrite('http://127.0.0.1:3000');
  expect(printed).toContain(`tokens of ${OIDC_ISSUER} for cutover, with the scope flags:write`);
  expect(tokenIn(printed)).toBe('');
});

test('the public routes are throttled, as the contract says', async () => {
  const { gates } = await admissionOf({});
  const url = await listen(createHost(async () => ({ statusCode: 200 }), { gates }));
  const { burstRequests } = PUBLIC_FLAGS_THROTTLE;
  const ended = Array.from(
    { length: 3 * burstRequests },
    async () => (await ask(url, { path: '/api/config/flags' })).status,
  );
  const served = (await Promise.all(ended)).filter((status) => status === 200).length;
  expect(served).toBeGreaterThanOrEqual(burstRequests);
  expect(served).toBeLessThan(3 * burstRequests);
});

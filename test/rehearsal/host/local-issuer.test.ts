import { expect, test } from '@jest/globals';
import { generateKeyPair, SignJWT } from 'jose';
import { jwtAuthorizer } from '../../../rehearsal/host/authorizer.ts';
import { createHost } from '../../../rehearsal/host/host.ts';
import { localIssuer } from '../../../rehearsal/host/local-issuer.ts';
import { ask, listen } from '../../support/http.ts';

test('its token is good, and one with another algorithm is refused, not taken for a fault of the server', async () => {
  const { issuer, token } = await localIssuer('flags:write');
  const url = await listen(createHost(async () => ({ statusCode: 200 }), { gates: [jwtAuthorizer(issuer)] }));
  const asked = (bearer: string) =>
    ask(url, { path: '/api/admin/flags', headers: { authorization: `Bearer ${bearer}` } });
  expect((await asked(token)).status).toBe(200);
  for (const alg of ['RS384', 'RS512', 'PS256', 'ES256']) {
    const { privateKey } = await generateKeyPair(alg);
    const other = await new SignJWT({}).setProtectedHeader({ alg }).setIssuer(issuer.issuer).sign(privateKey);
    expect([alg, (await asked(other)).status]).toEqual([alg, 401]);
  }
});

import { afterEach, describe, expect, jest, test } from '@jest/globals';
import type { AwsCredentials } from '../../../lambda/aws/credentials.ts';
import { iamToken } from '../../../lambda/database/iam.ts';

const SESSION: AwsCredentials = {
  accessKeyId: 'ASIAEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG',
  sessionToken: 'a/session+token=',
};
const HOST = 'db.cluster-abc.eu-west-1.rds.amazonaws.com';

/** What `getAuthToken()` of @aws-sdk/rds-signer 3.1162.0 answers at that moment for the same. */
const BEGINNING = `${HOST}:5433/?Action=connect&DBUser=the_app%27role&X-Amz-Algorithm=AWS4-HMAC-SHA256`;
const WITH_SESSION =
  `${BEGINNING}&X-Amz-Credential=ASIAEXAMPLE%2F20261120%2Feu-west-1%2Frds-db%2Faws4_request` +
  '&X-Amz-Date=20261120T150405Z&X-Amz-Expires=900&X-Amz-Security-Token=a%2Fsession%2Btoken%3D' +
  '&X-Amz-Signature=bebac4201a9738579eee0d9674e813eafe45ab0666f7bb31b0ccf1e45578c9ed&X-Amz-SignedHeaders=host';
const WITHOUT_SESSION =
  `${BEGINNING}&X-Amz-Credential=AKIAEXAMPLE%2F20261120%2Feu-west-1%2Frds-db%2Faws4_request` +
  '&X-Amz-Date=20261120T150405Z&X-Amz-Expires=900' +
  '&X-Amz-Signature=ad07871ed37e302629f125fc880f38708fa49330dbd3fbeddec2a5c6aaebe76d&X-Amz-SignedHeaders=host';

const tokenOf = (credentials: AwsCredentials) =>
  iamToken({
    host: HOST,
    port: '5433',
    user: "the_app'role",
    region: 'eu-west-1',
    credentials: () => credentials,
  });

afterEach(() => void jest.useRealTimers());

describe('a token', () => {
  test.each([
    ['with a session', SESSION, WITH_SESSION],
    ['without one', { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' }, WITHOUT_SESSION],
  ])('%s is the one that RDS’s own signer makes', async (_, credentials, expected) => {
    jest.useFakeTimers({ now: new Date('2026-11-20T15:04:05.678Z') });
    expect(await tokenOf(credentials)).toBe(expected);
  });

  test('is not made without credentials', async () => {
    const credentials = () => {
      throw new Error('no credentials');
    };
    const options = { host: HOST, port: '5433', user: 'app', region: 'eu-west-1', credentials };
    await expect(iamToken(options)).rejects.toThrow('no credentials');
  });
});

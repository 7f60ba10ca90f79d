import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { databaseOptionsOf } from '../../../lambda/database/options.ts';

const DATABASE_URL = 'postgresql://user:p%40ss@db.example:5433/shop?sslmode=verify-full';
const WITHOUT_PASSWORD = DATABASE_URL.replace(':p%40ss', '');
const IAM = {
  DATABASE_URL: WITHOUT_PASSWORD,
  DATABASE_AUTH: 'iam',
  AWS_REGION: 'eu-west-1',
  AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'secret',
};
const optionsOf = (environment: Record<string, string | undefined>) => databaseOptionsOf(environment, 'api');

afterEach(() => void jest.useRealTimers());

describe('a database', () => {
  test.each([{}, { DATABASE_AUTH: '', DATABASE_PASSWORD: '', DATABASE_IDLE: '' }, { DATABASE_AUTH: 'url' }])(
    'is that of the URL, letter by letter, and its connections are kept: %j',
    (environment) => {
      expect(optionsOf({ DATABASE_URL, ...environment })).toEqual({ url: DATABASE_URL, idle: 'keep' });
    },
  );

  test('has its connections closed where it pauses', () => {
    expect(optionsOf({ DATABASE_URL, DATABASE_IDLE: 'close' }).idle).toBe('close');
  });

  test.each(['plain', 'p@:/?#[]%41 ü"\'', '%'])('may have the password %s', (DATABASE_PASSWORD) => {
    const { url } = optionsOf({ DATABASE_URL: WITHOUT_PASSWORD, DATABASE_PASSWORD });
    expect(decodeURIComponent(new URL(url).password)).toBe(DATABASE_PASSWORD);
    expect(url.replace(/:[^:@]+@/, '@')).toBe(WITHOUT_PASSWORD);
  });
});

describe('with IAM', () => {
  test('the password is a token for the user and the server of the URL, of the credentials of that moment', async () => {
    jest.useFakeTimers({ now: new Date('2026-11-20T15:04:05.678Z') });
    const environment = { ...IAM };
    const { url, idle, password } = optionsOf(environment);
    expect({ url, idle }).toEqual({ url: WITHOUT_PASSWORD, idle: 'keep' });
    environment.AWS_ACCESS_KEY_ID = 'AKIANEXT';
    expect(await password?.()).toMatch(
      /^db\.example:5433\/\?Action=connect&DBUser=user&.*Credential=AKIANEXT%2F20261120%2Feu-west-1%2Frds-db%2F/,
    );
  });

  test('the port is PostgreSQL’s where the URL has none, and a user is meant as it is decoded', async () => {
    const url = 'postgresql://a%5Fb@db.example/shop?sslmode=verify-full';
    expect(await optionsOf({ ...IAM, DATABASE_URL: url }).password?.()).toMatch(
      /^db\.example:5432\/\?Action=connect&DBUser=a_b&/,
    );
  });

  test('a token that cannot be signed is the connection’s error, not the start’s', async () => {
    const { password } = optionsOf({ ...IAM, AWS_ACCESS_KEY_ID: '' });
    await expect(password?.()).rejects.toThrow(
      'api: AWS_ACCESS_KEY_ID is not set, and DATABASE_AUTH=iam signs with it',
    );
  });
});

describe('refused by name', () => {
  test.each<[string, Record<string, string | undefined>]>([
    ['DATABASE_URL is not set; it is postgresql://user:password@host:5432/name', {}],
    ['DATABASE_AUTH=IAM is none of url, iam; use one of them', { DATABASE_URL, DATABASE_AUTH: 'IAM' }],
    ['DATABASE_IDLE=no is none of keep, close; use one of them', { DATABASE_URL, DATABASE_IDLE: 'no' }],
    [
      'DATABASE_URL=postgresql://***@db.example:5433/shop?sslmode=verify-full has a password, and DATABASE_PASSWORD is set, too; remove one',
      { DATABASE_URL, DATABASE_PASSWORD: 'hunter2' },
    ],
    [
      'DATABASE_URL=postgresql://***@db.example:none/shop is no URL; write postgresql://',
      { DATABASE_URL: 'postgresql://user@db.example:none/shop', DATABASE_PASSWORD: 'hunter2' },
    ],
    ['has a password, and DATABASE_AUTH=iam makes the password of a user', { ...IAM, DATABASE_URL }],
    ['has a password, and DATABASE_AUTH=iam makes', { ...IAM, DATABASE_PASSWORD: 'hunter2' }],
    [
      'DATABASE_URL=postgresql://db.example/shop has no user, and DATABASE_AUTH=iam makes',
      { ...IAM, DATABASE_URL: 'postgresql://db.example/shop' },
    ],
    [
      'has no TLS that is verified, and DATABASE_AUTH=iam needs it; end it with ?sslmode=verify-full',
      { ...IAM, DATABASE_URL: WITHOUT_PASSWORD.replace('verify-full', 'no-verify') },
    ],
    ['AWS_REGION is not set, and DATABASE_AUTH=iam signs for a region', { ...IAM, AWS_REGION: undefined }],
  ])('%s', (message, environment) => {
    expect(() => optionsOf(environment)).toThrow(
      expect.objectContaining({
        name: 'ConfigurationError',
        message: expect.stringMatching(/^api: (?!.*(hunter2|p%40ss))/),
      }),
    );
    expect(() => optionsOf(environment)).toThrow(message);
  });
});

import { createServer } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import { cutover, leftBehind } from '../support/cli.ts';
import { listen } from '../support/http.ts';
import { freshDatabase } from '../support/servers.ts';

/** Where nobody listens; nothing there is ever asked, where the command line alone is bad. */
const NOWHERE = { REDIS_URL: 'redis://127.0.0.1:1', DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none' };

/** No stack trace, one line for a person. */
const isCalm = (stderr: string) => !/^\s+at /m.test(stderr);

describe('--help', () => {
  test.concurrent.each([
    [['--help'], ['Usage: cutover', 'rehearse', 'serve', 'flush', 'census', 'cleanup', 'backfill']],
    [
      ['rehearse', '--help'],
      [
        '--migration',
        '--seconds',
        '--stages',
        '--users',
        '--seed',
        '--naive',
        '--headless',
        '--report',
        'Exit codes',
      ],
    ],
    [
      ['serve', '--help'],
      ['PORT', 'OIDC_ISSUER', 'OIDC_AUDIENCE', 'Exit codes'],
    ],
    [
      ['flush', '--help'],
      ['--dry-run', '--json', 'REDIS_URL', 'Exit codes'],
    ],
  ])('%j says what there is', async (args, phrases) => {
    const { exitCode, stdout, stderr } = await cutover(args);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    for (const phrase of phrases) expect(stdout).toContain(phrase);
  });
});

describe('bad usage is exit code 2, and names what is bad', () => {
  test.concurrent.each([
    [['fly'], "unknown command 'fly'"],
    [['rehearse', '--sekunden', '5'], "unknown option '--sekunden'"],
    [['rehearse', '--users', '0'], '--users="0" is not a whole number from 1 to 10000'],
    [['rehearse', '--stages', '50,25'], '--stages="50,25" does not grow'],
    [['rehearse', '--console-port', '70000'], '--console-port="70000" is not a whole number from 1 to 65535'],
    [['rehearse', '--migration', 'v3'], "argument 'v3' is invalid. Allowed choices are v2, cw"],
    [['rehearse', '--migration', 'cw', '--stages', '50,100'], '--stages are those of --migration v2'],
    [['rehearse', '--migration', 'cw', '--naive'], '--naive has no phases'],
    [['rehearse', '--report', 'package.json/out'], '--report=package.json/out cannot be written: ENOTDIR'],
  ])('%j: %s', async (args, message) => {
    const { exitCode, stdout, stderr } = await cutover(args, NOWHERE);
    expect({ exitCode, stdout, calm: isCalm(stderr) }).toEqual({ exitCode: 2, stdout: '', calm: true });
    expect(stderr).toContain(message);
  });

  test.concurrent('none at all, with the help', async () => {
    const { exitCode, stderr } = await cutover([]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('Usage: cutover');
  });
});

describe('a server of somebody’s that will not do is exit code 2, and named without its password', () => {
  test.concurrent.each<[string, Record<string, string>, string]>([
    [
      'a Redis elsewhere',
      { REDIS_URL: 'redis://user:hunter2@cache.example.com:6379' },
      'REDIS_URL=redis://user:***@cache.example.com:6379 is on another machine',
    ],
    [
      'a PostgreSQL elsewhere',
      { DATABASE_URL: 'postgresql://user:hunter2@10.0.0.7/shop' },
      'DATABASE_URL=postgresql://user:***@10.0.0.7/shop is on another machine',
    ],
  ])('rehearse with %s', async (_what, environment, message) => {
    const { exitCode, stdout, stderr } = await cutover(['rehearse', '--users', '1'], environment);
    expect({ exitCode, calm: isCalm(stderr) }).toEqual({ exitCode: 2, calm: true });
    expect(stderr).toContain(message);
    expect(stdout + stderr).not.toContain('hunter2');
    expect(stdout).not.toContain('stage');
  });

  test.concurrent('rehearse with a Redis that does not answer', async () => {
    const { url: DATABASE_URL } = await freshDatabase();
    const { exitCode, stderr } = await cutover(['rehearse'], { ...NOWHERE, DATABASE_URL });
    expect({ exitCode, calm: isCalm(stderr) }).toEqual({ exitCode: 2, calm: true });
    expect(stderr).toContain('REDIS_URL=redis://127.0.0.1:1 does not answer: redis: no connection: connect');
  });

  test.concurrent('rehearse with a PostgreSQL that does not answer', async () => {
    const { DATABASE_URL } = NOWHERE;
    const { exitCode, stderr } = await cutover(['rehearse'], { DATABASE_URL });
    expect({ exitCode, calm: isCalm(stderr) }).toEqual({ exitCode: 2, calm: true });
    expect(stderr).toContain(`DATABASE_URL=${DATABASE_URL} does not answer: connect ECONNREFUSED`);
  });
});

describe('serve', () => {
  test.concurrent.each([
    [
      'a port in use',
      async () => ({ PORT: new URL(await listen(createServer())).port }),
      /PORT=\d+ cannot be opened \(EADDRINUSE\)/,
    ],
    [
      'an unknown cache mode',
      async () => ({ PORT: '0', CACHE_MODE: 'disk' }),
      /CACHE_MODE=disk is none of redis, memory, off/,
    ],
    [
      'an issuer for nobody',
      async () => ({ PORT: '0', OIDC_ISSUER: 'https://login.example.com' }),
      /OIDC_ISSUER is set without OIDC_AUDIENCE; set both, or neither/,
    ],
  ])('with %s is refused', async (_what, environment, message) => {
    const { url } = await freshDatabase();
    const { exitCode, stdout, stderr } = await cutover(['serve'], {
      DATABASE_URL: url,
      ...(await environment()),
    });
    expect({ exitCode, stdout, calm: isCalm(stderr) }).toEqual({ exitCode: 2, stdout: '', calm: true });
    expect(stderr).toMatch(message);
  });
});

test('none of them has left a workspace behind', () => {
  expect(leftBehind()).toEqual([]);
});

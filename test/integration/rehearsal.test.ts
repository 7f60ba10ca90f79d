import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { createClient } from 'redis';
import { migrate } from '../../lambda/database/migrate.ts';
import { createPool } from '../../lambda/database/pool.ts';
import type { ConsoleState } from '../../rehearsal/console/contract.ts';
import type { Report } from '../../rehearsal/report.ts';
import { freshDatabase, ownRedis } from '../support/servers.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const scratch = mkdtempSync(path.join(os.tmpdir(), 'test-rehearsal-'));
const temporary = mkdtempSync(path.join(scratch, 'tmp-'));
// PostgreSQL runs as another user when the tests run as root.
for (const folder of [scratch, temporary]) chmodSync(folder, 0o711);

afterAll(() => rmSync(scratch, { recursive: true }));

/** The command as a person runs it, in its own group as in a terminal, with a temporary folder of its own. */
function cutover(args: readonly string[], environment: Record<string, string> = {}) {
  const { REDIS_URL: _redis, DATABASE_URL: _database, NODE_ENV: _env, ...inherited } = process.env;
  const child = spawn(process.execPath, ['--import', 'tsx', 'scripts/cutover.ts', ...args], {
    cwd: ROOT,
    env: { ...inherited, TMPDIR: temporary, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  return { child, output: () => output };
}

async function rehearse(flags: readonly string[], environment?: Record<string, string>) {
  const folder = mkdtempSync(path.join(scratch, 'report-'));
  const { child, output } = cutover(
    ['rehearse', '--headless', '--report', folder, '--seed', '7', ...flags],
    environment,
  );
  const [exitCode]: [number] = (await once(child, 'close')) as [number];
  const report = JSON.parse(readFileSync(path.join(folder, 'report.json'), 'utf8')) as Report;
  const page = readFileSync(path.join(folder, 'report.html'), 'utf8');
  return { exitCode, report, page, output: output() };
}

/** What a report's page shows. */
function frozenIn(page: string): { readonly state: ConsoleState } {
  const [, json = ''] = /<script type="application\/json" id="frozen">(.*)<\/script>/.exec(page) ?? [];
  return JSON.parse(json);
}

const nothingLeft = () =>
  expect(readdirSync(temporary).filter((name) => name.startsWith('cutover-'))).toEqual([]);

async function printed({ child, output }: { child: ChildProcess; output: () => string }, pattern: RegExp) {
  for (;;) {
    const match = pattern.exec(output());
    if (match) return match;
    if (child.exitCode !== null) throw new Error(`ended without printing ${pattern}: ${output()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const isListening = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => resolve(true));
    socket.on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });

/** The other tests that run now may take more than a gate allows, which is no fault of the rehearsal. */
const unlessSlow = (reason: string) => !/^stage \d+ %: p95 of hits/.test(reason);

/** Far too short for a verdict, and long enough to see what it would be. */
const SHORT = ['--seconds', '6', '--stages', '50', '--users', '20'];

describe('a short rehearsal', () => {
  test('reads nothing stale, fails only for being short, and leaves a Redis that was named as it was', async () => {
    const { url } = await ownRedis();
    const redis = createClient({ url });
    await redis.connect();
    await redis.mSet({ 'mocs:user:me:list': 'cached', 'sessions:me': 'mine', 'other:1': 'other' });
    const { exitCode, report, page, output } = await rehearse(SHORT, { REDIS_URL: url });
    expect(output).toContain(url);
    expect(output).toMatch(/^console {2}http:\/\/127\.0\.0\.1:\d+$/m);
    // Its cached collections are flushed, as the help says; everything else is there, and nothing is added.
    expect((await redis.keys('*')).sort()).toEqual(['other:1', 'sessions:me']);
    redis.destroy();
    expect(report.reasons.filter(unlessSlow)).toEqual([
      expect.stringMatching(/^\d+ writes are fewer than the 500/),
    ]);
    expect(exitCode).toBe(1);
    expect(report.totals).toMatchObject({
      staleReads: 0,
      boundedStaleReads: 0,
      errors5xx: 0,
      longestStaleSeconds: 0,
      lostSessions: 0,
      resurrectedSessions: 0,
    });
    expect(report.totals.crossBackendReads).toBeGreaterThan(100);
    expect(report.totals.requests).toBeGreaterThan(2500);
    // Once a flush, and once more where a gate sent the traffic back.
    expect(report.preserved.checked % 300).toBe(0);
    expect(report.preserved).toEqual({ checked: expect.any(Number), lost: 0 });
    expect(report.stages).toEqual([
      expect.objectContaining({
        weightPercent: 50,
        flush: expect.objectContaining({ preserved: expect.any(Number) }),
      }),
    ]);
    // And the sessions of those who have logged in by then.
    expect(report.stages[0]?.flush.preserved).toBeGreaterThan(301);
    const { logins, logouts, checkedSessions } = report.totals;
    expect([logins >= 20, logouts > 0, checkedSessions >= 50]).toEqual([true, true, true]);
    expect(report.stages[0]?.hitRate.after).toBeGreaterThan(0.8);
    expect(output).toMatch(/verdict {2}fail/);
    const { requests, errors5xx, writes, lostSessions, staleReads } = report.totals;
    const { state } = frozenIn(page);
    expect([state.totals, state.status]).toEqual([
      { requests, errors5xx, writes, lostSessions, staleReads },
      'failed',
    ]);
    nothingLeft();
  });

  test('the plain way reads stale values', async () => {
    const { exitCode, report, page, output } = await rehearse([...SHORT, '--naive', '--no-console']);
    expect(exitCode).toBe(1);
    expect(report.mode).toBe('naive');
    expect(report.totals.staleReads).toBeGreaterThan(20);
    expect(report.totals.longestStaleSeconds).toBeGreaterThan(0);
    expect(report.staleReads).toHaveLength(20);
    expect(frozenIn(page).state.stale).toEqual(report.staleReads);
    expect(output).not.toMatch(/^console/m);
    nothingLeft();
  });

  test('Ctrl-C leaves no process, no port and no folder', async () => {
    const run = cutover(['rehearse', '--headless', '--seconds', '60']);
    const [, redis, postgres] = await printed(
      run,
      /servers {2}redis:\/\/127.0.0.1:(\d+) {2}\S+:(\d+)\/cutover/,
    );
    const [, express, serverless] = await printed(run, /express \S+:(\d+), serverless \S+:(\d+)/);
    const [, console] = await printed(run, /console {2}\S+:(\d+)/);
    await printed(run, /weight/);
    process.kill(-(run.child.pid ?? 0), 'SIGINT');
    const [exitCode] = await once(run.child, 'close');
    expect(exitCode).toBe(130);
    const ports = [redis, postgres, express, serverless, console].map(Number);
    expect(await Promise.all(ports.map(isListening))).toEqual(ports.map(() => false));
    nothingLeft();
    expect(run.output()).not.toMatch(/ECONN|Error:|error {4}/);
  });
});

test('a Redis that is killed ends the rehearsal at once, and says so', async () => {
  const folder = mkdtempSync(path.join(scratch, 'report-'));
  writeFileSync(path.join(folder, 'report.json'), '{"verdict":"pass"}');
  const run = cutover(['rehearse', '--headless', '--seconds', '60', '--report', folder]);
  const [, port = ''] = await printed(run, /servers {2}redis:\/\/127.0.0.1:(\d+)/);
  await printed(run, /weight/);
  const redis = createClient({ url: `redis://127.0.0.1:${port}` }).on('error', () => {});
  await redis.connect();
  const pid = /process_id:(\d+)/.exec(await redis.info('server'))?.[1];
  process.kill(Number(pid), 'SIGKILL');
  const [exitCode] = await once(run.child, 'close');
  redis.destroy();
  expect([exitCode, run.output()]).toEqual([1, expect.stringContaining('Redis at redis://127.0.0.1')]);
  expect(existsSync(path.join(folder, 'report.json'))).toBe(false);
  nothingLeft();
});

test('a database that cannot be seeded ends the command with the reason, and keeps no row', async () => {
  const { url } = await freshDatabase();
  await migrate(url);
  const database = createPool({ url, applicationName: 'test', maxConnections: 1 });
  await database.query('ALTER TABLE gallery ADD CONSTRAINT nothing_here CHECK (false)');
  const run = cutover(['rehearse', '--headless'], { DATABASE_URL: url });
  const [exitCode] = await once(run.child, 'close');
  expect([exitCode, run.output()]).toEqual([1, expect.stringContaining('nothing_here')]);
  expect((await database.query('SELECT FROM mocs')).rowCount).toBe(0);
  await database.end();
  nothingLeft();
});

describe('serve', () => {
  test('answers on its own PostgreSQL and the memory cache, and says so', async () => {
    const run = cutover(['serve'], { PORT: '0' });
    const [, url = ''] = await printed(run, /serving {2}(http:\/\/127.0.0.1:\d+)/);
    const list = `${url}/api/users/1/mocs`;
    const put = await fetch(`${list}/a`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: '{"data":{"title":"A"}}',
    });
    expect([await put.json(), put.headers.get('x-invalidation')]).toEqual([{ id: 'a', version: 1 }, 'done']);
    const answers = [await fetch(list), await fetch(list)];
    expect(answers.map(({ headers }) => headers.get('x-cache'))).toEqual(['miss', 'hit']);
    expect(await answers[1]?.json()).toEqual({
      items: [{ id: 'a', version: 1, data: { title: 'A' } }],
      version: 1,
    });
    expect(await (await fetch(`${url}/health`)).json()).toEqual({ status: 'alive' });
    expect(await (await fetch(`${url}/ready`)).json()).toMatchObject({
      status: 'ready',
      checks: { postgres: { status: 'up' } },
    });

    const second = cutover(['serve'], { PORT: new URL(url).port });
    const [refused] = await once(second.child, 'close');
    expect([refused, second.output()]).toEqual([2, expect.stringContaining(`PORT=${new URL(url).port}`)]);

    run.child.kill('SIGTERM');
    expect((await once(run.child, 'close'))[0]).toBe(143);
    nothingLeft();
  });
});

/** Two flags and an override in a database, the API on them, and what every answer has to be. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect } from '@jest/globals';
import pg from 'pg';
import type { Environment } from '../../../lambda/cache/phase.ts';
import { migrate } from '../../../lambda/database/migrate.ts';
import { createPool, type Database } from '../../../lambda/database/pool.ts';
import { createHost } from '../../../rehearsal/host/host.ts';
import { wiredApi } from '../../support/deployed.ts';
import { asAdmin } from '../../support/flags.ts';
import { ask, listen } from '../../support/http.ts';
import { freshDatabase } from '../../support/servers.ts';

const SET = '/api/config/flags';
const ONE = `${SET}/checkout`;
const WITH_OVERRIDE = `${ONE}?userId=ann`;
const WITHOUT_OVERRIDE = `${ONE}?userId=bob`;

/** The whole set, one flag, and one flag for a user with an override and for one without. */
export const PATHS = [SET, ONE, WITH_OVERRIDE, WITHOUT_OVERRIDE] as const;
export type Path = (typeof PATHS)[number];

/**
 * What waits for a Redis that never answers waits longer. That a read spends 250 ms on it and no more is asserted in
 * redis-away.test.ts: fifty clients and the API in one process say little of time.
 */
const HANGING_MS = 10_000;
/** The breaker lets one command through each second. */
const RECOVERY_MS = 20_000;
export const AT_ONCE = 50;

let databaseUrl: string;
let database: Database;
/** How often `checkout` was changed in this test: a part of each right answer. */
let changes: number;

beforeAll(async () => {
  ({ url: databaseUrl } = await freshDatabase());
  await migrate(databaseUrl);
  database = createPool({ url: databaseUrl, applicationName: 'test' });
  // What a first answer takes is then what it waits for, and not the time to compile the code.
  await seed();
  await expectServed(await serve({}));
});
beforeEach(seed);
afterAll(() => database.end());

async function seed(): Promise<void> {
  changes = 0;
  await database.query(`
    TRUNCATE feature_flags CASCADE;
    INSERT INTO feature_flags (environment, flag_key, enabled, value, updated_by)
    VALUES ('test', 'checkout', true, '{"changes":0}', 'test'), ('test', 'search', false, null, 'test');
    INSERT INTO feature_flag_overrides (environment, flag_key, user_id, enabled, updated_by)
    VALUES ('test', 'checkout', 'ann', false, 'test')`);
}

/** The test file's own database. */
export const ownDatabaseUrl = (): string => databaseUrl;

/** PostgreSQL refuses whoever connects, and has ended the connections there are; until it is restored. */
export async function cutDatabase(): Promise<{ restore(): Promise<void> }> {
  const { pathname } = new URL(databaseUrl);
  const name = pg.escapeIdentifier(pathname.slice(1));
  const elsewhere = createPool({ url: new URL('/postgres', databaseUrl).href, applicationName: 'test' });
  await elsewhere.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
  await elsewhere.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [
    pathname.slice(1),
  ]);
  return {
    async restore() {
      await elsewhere.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
      await elsewhere.end();
    },
  };
}

/** Starts the API. @returns its URL. */
export async function serve(environment: Environment): Promise<string> {
  const common = { NODE_ENV: 'test', MIGRATION_MODE: 'true', DATABASE_URL: databaseUrl };
  return listen(createHost(asAdmin(await wiredApi({ ...common, ...environment }))));
}

/** What each path has to answer now. */
function rightAnswers(): Record<Path, object> {
  const flag = { key: 'checkout', enabled: true, value: { changes } };
  return {
    [SET]: { environment: 'test', flags: [flag, { key: 'search', enabled: false }] },
    [ONE]: flag,
    [WITH_OVERRIDE]: { ...flag, enabled: false, overridden: true },
    [WITHOUT_OVERRIDE]: flag,
  };
}

/** Asks once: the answer has to be 200 and right. @returns where it came from: `hit`, `bypass`, `stale`. */
export async function expectRight(url: string, path: Path): Promise<unknown> {
  const right = rightAnswers()[path];
  const begin = performance.now();
  const { status, headers, text } = await ask(url, { path });
  const tookMs = performance.now() - begin;
  const body: { stale?: boolean } = JSON.parse(text);
  expect({ status, body }).toMatchObject({ status: 200, body: right });
  expect(body.stale ?? false).toBe(headers['x-cache'] === 'stale');
  expect(tookMs).toBeLessThan(HANGING_MS);
  return headers['x-cache'];
}

/** Asks 50 times at once, each path as often. @returns where the answers came from, each place once. */
export async function expectServed(url: string): Promise<unknown[]> {
  const paths = Array.from({ length: AT_ONCE }, (_, index) => PATHS[index % PATHS.length] ?? SET);
  return [...new Set(await Promise.all(paths.map((path) => expectRight(url, path))))];
}

/** Every read is a hit again, in the process that is there. */
export async function expectRecovered(url: string): Promise<void> {
  for (const end = Date.now() + RECOVERY_MS; Date.now() < end; await sleep(50)) {
    const outcomes = await Promise.all(PATHS.map((path) => expectRight(url, path)));
    if (outcomes.every((outcome) => outcome === 'hit')) return;
  }
  throw new Error(`not every read is a hit after ${RECOVERY_MS} ms`);
}

/** Patches a flag. @returns the acknowledgement. */
export async function patch(url: string, key: string, fields: object): Promise<unknown> {
  const headers = { 'content-type': 'application/merge-patch+json' };
  const path = `/api/admin/flags/${key}`;
  const answer = await ask(url, { method: 'PATCH', path, headers, body: JSON.stringify(fields) });
  expect(answer.status).toBe(200);
  return answer.headers['x-invalidation'];
}

/** Changes what each path has to answer. @returns the acknowledgement. */
export async function change(url: string): Promise<unknown> {
  const acknowledgement = await patch(url, 'checkout', { value: { changes: changes + 1 } });
  changes += 1;
  return acknowledgement;
}

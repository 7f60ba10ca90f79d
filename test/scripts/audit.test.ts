import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { AuditReport } from '../../lambda/audit/audit.ts';
import type { CoverageReport } from '../../lambda/coverage/report.ts';
import { migrate } from '../../lambda/database/migrate.ts';
import { createPool, type Database } from '../../lambda/database/pool.ts';
import type { RedisConnection } from '../../lambda/redis/connection.ts';
import { createRedisUsers } from '../../rehearsal/redis-users.ts';
import { auditCommand } from '../../scripts/audit.ts';
import { coverageCommand } from '../../scripts/coverage.ts';
import { cutover } from '../support/cli.ts';
import { helpOf } from '../support/help.ts';
import { lookInto } from '../support/redis.ts';
import { freshDatabase, ownRedis } from '../support/servers.ts';

/** What both commands read: as the user who looks at what is cached. */
let environment: Record<string, string>;
let redis: RedisConnection;
let database: Database;

beforeAll(async () => {
  const [{ url }, { url: databaseUrl }] = await Promise.all([ownRedis(), freshDatabase()]);
  await migrate(databaseUrl);
  redis = await lookInto(url);
  database = createPool({ url: databaseUrl, applicationName: 'test' });
  const users = await createRedisUsers({ send: redis.send, url }, { phase: 'isolated', env: 'test' });
  environment = { REDIS_URL: users.auditor, DATABASE_URL: databaseUrl, NODE_ENV: 'test' };
});
afterAll(() => database.end());

test('cutover audit: 0 where nothing is stale, 1 where something is, with its key in --json only', async () => {
  await redis.send(['SET', 'v2:mocs:user:1:list', '{"items":[],"version":0}', 'EX', '300']);
  const fresh = await cutover(['audit', '--all'], environment);
  expect(fresh).toMatchObject({ exitCode: 0, stderr: '' });
  expect(fresh.stdout).toMatch(/^audited {2}1 entries among 1 keys in [\d.]+ s$/m);
  expect(fresh.stdout).toMatch(/^v2:mocs:\* +1 +0 +0 +0$/m);

  await redis.send(['SET', 'mocs:user:2:list', '{"items":[],"version":9}', 'EX', '300']);
  const [stale, json] = await Promise.all([
    cutover(['audit', '--all'], environment),
    cutover(['audit', '--all', '--json'], environment),
  ]);
  expect([stale.exitCode, json.exitCode]).toEqual([1, 1]);
  expect(stale.stdout).toMatch(/^stale: 1, the oldest stored .* ago at the most$/m);
  expect(stale.stderr).toMatch(/^audit: 1 entries are older than their rows; .*cutover coverage.*\n$/);
  expect(`${stale.stdout}${stale.stderr}`).not.toContain('user:2');
  const report = JSON.parse(json.stdout) as AuditReport;
  expect(report).toMatchObject({
    audited: 2,
    complete: true,
    stale: [{ key: 'mocs:user:2:list', namespace: '' }],
  });
  await redis.send(['FLUSHALL']);
});

test('cutover audit --all that could not see every key fails; a sample need not', async () => {
  const keys = Array.from({ length: 3000 }, (_, index) => [`query_cache:${index}`, '1']);
  await redis.send(['MSET', ...keys.flat()]);
  const limited = ['audit', '--limit-seconds', '0'];
  const [all, sample] = await Promise.all([
    cutover([...limited, '--all'], environment),
    cutover(limited, environment),
  ]);
  expect([all.exitCode, sample.exitCode]).toEqual([1, 0]);
  expect(all.stderr).toMatch(/^audit: stopped at its limit after .* raise --limit-seconds\n$/);
  await redis.send(['FLUSHALL']);
});

test.concurrent.each([
  [{ REDIS_URL: '' }, /^audit: REDIS_URL is not set/],
  [{ DATABASE_URL: '' }, /^audit: DATABASE_URL is not set/],
  [{ NODE_ENV: '' }, /^cache: NODE_ENV= cannot name a namespace/],
])('cutover audit with %j: exit code 2', async (change, message) => {
  const { exitCode, stdout, stderr } = await cutover(['audit'], { ...environment, ...change });
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  expect(stderr).toMatch(message);
});

const notes = (writer: string, uncovered: number) =>
  database.query(
    `INSERT INTO cutover_coverage VALUES ('mocs', $1, now(), now(), 7, $2::int, CASE WHEN $2::int > 0 THEN now() END)`,
    [writer, uncovered],
  );

test('cutover coverage: 0 where all writers are covered, 1 naming those that are not, or nobody who looks', async () => {
  await redis.send(['FLUSHALL']);
  await notes('legacy-express', 0);
  const blind = await cutover(['coverage'], environment);
  expect(blind.exitCode).toBe(1);
  expect(blind.stderr).toContain('no dispatcher has used this Redis in the last 2 minutes');

  const instance = { service: 'cutover-dispatcher', phase: null, env: 'test', mirror: false, startedAt: '' };
  await redis.send(['SET', 'cutover:instance:cutover-dispatcher:1', JSON.stringify(instance), 'EX', '120']);
  const covered = await cutover(['coverage'], environment);
  expect(covered).toMatchObject({ exitCode: 0, stderr: '' });
  expect(covered.stdout).toMatch(/^mocs +legacy-express +covered +7 +0 +\d{4}-/m);
  expect(covered.stdout).toContain('cutover-dispatcher: 1');

  await notes('nightly-import', 3);
  const [uncovered, json] = await Promise.all([
    cutover(['coverage', '--since', '90m'], environment),
    cutover(['coverage', '--json'], environment),
  ]);
  expect([uncovered.exitCode, json.exitCode]).toEqual([1, 1]);
  expect(uncovered.stdout).toMatch(/^mocs +nightly-import +NOT COVERED +7 +3 +\d{4}-/m);
  expect(uncovered.stderr).toMatch(
    /^coverage: nightly-import changes mocs without an invalidation, last at \d{4}-.*put the mirror into it/,
  );
  expect(uncovered.stderr).not.toContain('legacy-express');
  const report = JSON.parse(json.stdout) as CoverageReport;
  expect(report).toMatchObject({ judged: true, complete: false });
  expect(report.writers.map(({ writer, covered: isCovered }) => [writer, isCovered])).toEqual([
    ['nightly-import', false],
    ['legacy-express', true],
  ]);
});

test.concurrent.each(['0m', '1w', 'h', '-1h', ''])(
  'cutover coverage --since "%s": exit code 2',
  async (since) => {
    const { exitCode, stderr } = await cutover(['coverage', '--since', since], environment);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('--since is a number of minutes, hours or days above 0');
  },
);

test('--help says what there is', () => {
  for (const phrase of [
    '--all',
    '--sample',
    '--max-latency-ms',
    '--limit-seconds',
    '--json',
    'DATABASE_URL',
    'Exit codes',
  ]) {
    expect(helpOf(auditCommand)).toContain(phrase);
  }
  for (const phrase of ['--since', '--json', 'application_name', 'DATABASE_URL', 'Exit codes']) {
    expect(helpOf(coverageCommand)).toContain(phrase);
  }
});

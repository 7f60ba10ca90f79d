import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type pg from 'pg';
import { FALLBACK } from '../../lambda/cache/fallback-mark.ts';
import { PHASE_SWITCHES, type Phase } from '../../lambda/contract/environment.ts';
import { migrate } from '../../lambda/database/migrate.ts';
import { createPool } from '../../lambda/database/pool.ts';
import type { StepReport } from '../../lambda/phases/conditions.ts';
import type { PhaseReport } from '../../lambda/phases/phases.ts';
import type { RedisConnection } from '../../lambda/redis/connection.ts';
import { phaseCommand } from '../../scripts/phase.ts';
import { cutover } from '../support/cli.ts';
import { helpOf } from '../support/help.ts';
import { lookInto } from '../support/redis.ts';
import { freshDatabase, ownRedis } from '../support/servers.ts';

let url: string;
let redis: RedisConnection;
let databaseUrl: string;
let database: pg.Pool;

beforeAll(async () => {
  ({ url } = await ownRedis());
  redis = await lookInto(url);
  ({ url: databaseUrl } = await freshDatabase());
  await migrate(databaseUrl);
  database = createPool({ url: databaseUrl, applicationName: 'test', maxConnections: 1 });
});

afterAll(() => database.end());

beforeEach(async () => {
  await redis.send(['FLUSHALL']);
  await database.query('TRUNCATE cutover_coverage');
});

interface Present {
  readonly service?: string;
  readonly phase: Phase;
  readonly mirror?: boolean;
  readonly env?: string;
}

async function present(...all: readonly Present[]) {
  for (const [index, { service = 'cutover-api', phase, mirror = false, env = 'test' }] of all.entries()) {
    const instance = { service, phase, env, mirror, startedAt: `2026-11-27T00:00:0${index}.000Z` };
    await redis.send(['SET', `cutover:instance:${service}:${index}`, JSON.stringify(instance), 'EX', '120']);
  }
}

async function covered(writer: string, uncovered: number) {
  await database.query(
    `INSERT INTO cutover_coverage VALUES ('mocs', $1, now() - interval '2 days', now(), 10, $2::int, CASE WHEN $2::int > 0 THEN now() END)`,
    [writer, uncovered],
  );
}

async function phase(at: Phase, args: readonly string[] = []) {
  const variables = { REDIS_URL: url, DATABASE_URL: databaseUrl, NODE_ENV: 'test', ...PHASE_SWITCHES[at] };
  const { exitCode, stdout, stderr } = await cutover(['phase', '--json', ...args], variables);
  expect(stderr).toBe('');
  const report = JSON.parse(stdout) as PhaseReport;
  const step = (to: Phase) => report.steps.find((each) => each.to === to) as StepReport;
  return { exitCode, report, step };
}

/** What of a step is not met. */
const open = ({ conditions }: StepReport) =>
  conditions.filter(({ outcome }) => outcome === 'fail' || outcome === 'not run').map(({ check }) => check);

const MIRROR: Present = { service: 'legacy', phase: 'legacy', mirror: true };

test('tells which phase each service is in', async () => {
  await present(MIRROR, MIRROR, { phase: 'isolated' });
  await redis.send(['SET', 'cutover:instance:broken:1', 'no JSON']);
  const { report } = await phase('isolated');
  expect(report).toMatchObject({ phase: 'isolated' });
  expect(report.services).toEqual([
    {
      service: 'cutover-api',
      phase: 'isolated',
      env: 'test',
      mirror: false,
      instances: 1,
      since: '2026-11-27T00:00:02.000Z',
    },
    {
      service: 'legacy',
      phase: 'legacy',
      env: 'test',
      mirror: true,
      instances: 2,
      since: '2026-11-27T00:00:00.000Z',
    },
  ]);
});

describe('from legacy', () => {
  test('both steps are safe where the mirror is on and nobody writes past it', async () => {
    await present(MIRROR, { phase: 'legacy' });
    await covered('legacy', 0);
    const { exitCode, report } = await phase('legacy');
    expect(report.steps.map(({ to, direction, safe }) => [to, direction, safe])).toEqual([
      ['isolated', 'next', true],
      ['dual', 'next', true],
    ]);
    expect(exitCode).toBe(0);
  });

  test.each<[string, () => Promise<void>, string, RegExp]>([
    ['nobody is there', async () => {}, 'instances', /nobody has used this Redis/],
    ['no mirror is', async () => present({ phase: 'legacy' }), 'mirror', /no instance with the mirror/],
    [
      'somebody writes past it',
      async () => {
        await present(MIRROR);
        await covered('nightly-job', 3);
      },
      'coverage',
      /nightly-job changes mocs \(3 writes, the last 20\d\d-/,
    ],
    [
      'one runs in prefixed',
      async () => present(MIRROR, { phase: 'prefixed' }),
      'instances',
      /run in prefixed/,
    ],
    [
      'one has another name',
      async () => present(MIRROR, { phase: 'legacy', env: 'x' }),
      'instances',
      /another NODE_ENV/,
    ],
  ])('not yet where %s', async (_what, arrange, check, text) => {
    await arrange();
    const { exitCode, step } = await phase('legacy', ['--to', 'isolated']);
    expect(step('isolated').conditions.find((each) => each.check === check)).toMatchObject({
      outcome: 'fail',
      text: expect.stringMatching(text),
    });
    expect(exitCode).toBe(1);
  });

  test('where the coverage cannot be read, that is not run, and not safe', async () => {
    await present(MIRROR);
    const name = 'cutover_coverage';
    await database.query(`ALTER TABLE ${name} RENAME TO elsewhere`);
    const { exitCode, step } = await phase('legacy');
    await database.query(`ALTER TABLE elsewhere RENAME TO ${name}`);
    expect(step('isolated').conditions.at(-1)).toMatchObject({ check: 'coverage', outcome: 'not run' });
    expect(exitCode).toBe(1);
  });
});

describe('from dual to prefixed', () => {
  const quietFor = (seconds: number) => redis.send(['SET', FALLBACK, String(Date.now() - seconds * 1000)]);

  test('safe when nobody has fallen back for as long as the oldest legacy key still lives', async () => {
    await present({ phase: 'dual' });
    await redis.send(['SET', 'mocs:user:1:list', '1', 'EX', '200']);
    await quietFor(210);
    const { exitCode, step } = await phase('dual');
    expect(open(step('prefixed'))).toEqual([]);
    expect(step('prefixed')).toMatchObject({ safe: true, direction: 'next' });
    expect(step('prefixed').safeAt).toBeUndefined();
    expect(exitCode).toBe(0);
  });

  test('else not yet, with the date', async () => {
    await present({ phase: 'dual' });
    await redis.send(['SET', 'mocs:user:1:list', '1', 'EX', '290']);
    await redis.send(['SET', 'albums:user:1:list', '1', 'EX', '30']);
    // What is under a namespace, or preserved, has another life.
    await redis.send(['SET', 'cw:test:mocs:user:1:list', '1', 'EX', '9000']);
    await quietFor(200);
    const { exitCode, step } = await phase('dual');
    const { safeAt, conditions } = step('prefixed');
    expect(open(step('prefixed'))).toEqual(['legacy fallbacks']);
    expect(conditions[1]?.text).toMatch(
      /^none for (3\.[3-9]) min; the longest of 2 of 2 un-prefixed keys lives for 4\.\d min/,
    );
    const leftSeconds = (Date.parse(safeAt ?? '') - Date.now()) / 1000;
    expect(leftSeconds).toBeGreaterThan(30);
    expect(leftSeconds).toBeLessThan(91);
    expect(exitCode).toBe(1);
  });

  test('no date where something else is missing, too', async () => {
    await present({ phase: 'dual' }, MIRROR);
    await redis.send(['SET', 'mocs:user:1:list', '1', 'EX', '290']);
    await quietFor(1);
    const { step } = await phase('dual');
    expect(open(step('prefixed'))).toEqual(['instances', 'legacy fallbacks']);
    expect(step('prefixed').safeAt).toBeUndefined();
  });

  test('not before anybody has looked for fallbacks', async () => {
    await present({ phase: 'dual' });
    const { step } = await phase('dual');
    expect(step('prefixed').conditions[1]?.text).toBe('no process in dual has looked for them yet');
  });

  test('state has to be carried before, in either direction; rate limits are not', async () => {
    await present({ phase: 'dual' });
    await quietFor(1000);
    const both = ['sessions:1', 'cw:test:sessions:1'];
    await redis.send([
      'MSET',
      ...[...both, 'sessions:2', 'cw:test:csrf:3', 'rl:login:1'].flatMap((key) => [key, 'x']),
    ]);
    const { step } = await phase('dual');
    expect(open(step('prefixed'))).toEqual(['state carried']);
    expect(step('prefixed').conditions.at(-1)).toMatchObject({
      text: expect.stringMatching(/^1 of 2 sampled keys of state are not in the other home \(sessions\)/),
      remedy: 'cutover backfill --to prefixed',
    });
    expect(step('legacy').conditions.at(-1)).toMatchObject({
      text: expect.stringMatching(/^1 of 2 sampled keys of state are not in the other home \(csrf\)/),
      remedy: 'cutover backfill --to legacy',
    });
  });
});

test('tells a person', async () => {
  await present({ phase: 'prefixed' });
  const variables = { REDIS_URL: url, NODE_ENV: 'test', ...PHASE_SWITCHES.prefixed };
  const { exitCode, stdout } = await cutover(['phase'], variables);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^phase {2}prefixed, as the variables say$/m);
  expect(stdout).toMatch(/^cutover-api +prefixed +1 +2026-/m);
  expect(stdout).toMatch(/^back: prefixed to dual {2}safe$/m);
});

test.each<[readonly string[], Record<string, string>, RegExp]>([
  [['--to', 'prefixed'], {}, /^phase: --to prefixed is no step from legacy, which are isolated, dual/],
  [['--to', 'v3'], {}, /Allowed choices are legacy, isolated, dual, prefixed/],
  [[], { REDIS_URL: '' }, /^phase: REDIS_URL is not set/],
  [[], { MIGRATION_MODE: '1', CW_CACHE_PREFIX_ENABLED: '1' }, /exclude each other/],
])('%j with %j is bad usage: exit code 2', async (args, environment, message) => {
  const ended = await cutover(['phase', ...args], { REDIS_URL: url, NODE_ENV: 'test', ...environment });
  expect({ exitCode: ended.exitCode, stdout: ended.stdout }).toEqual({ exitCode: 2, stdout: '' });
  expect(ended.stderr).toMatch(message);
});

test('--help says what there is', () => {
  const help = helpOf(phaseCommand);
  for (const phrase of ['--to <phase>', '--json', '--stage <name>', 'CENSUS_REDIS_URL', 'Exit codes: 0']) {
    expect(help).toContain(phrase);
  }
});

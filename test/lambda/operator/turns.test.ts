import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type CensusReport, census } from '../../../lambda/flush/census/census.ts';
import { type CensusTurn, sumOfTurns } from '../../../lambda/flush/census/turn.ts';
import { operate } from '../../../lambda/operator/operate.ts';
import type { RedisConnection } from '../../../lambda/redis/connection.ts';
import type { RedisServer } from '../../../rehearsal/servers/redis.ts';
import { sumOfFlush } from '../../../scripts/flush-turns.ts';
import { lookInto } from '../../support/redis.ts';
import { ownRedis } from '../../support/servers.ts';

const DUE = 3000;

let server: RedisServer;
let redis: RedisConnection;
let environment: Record<string, string>;

beforeAll(async () => {
  server = await ownRedis({ args: ['--enable-debug-command', 'local'] });
  redis = await lookInto(server.url);
  environment = { NODE_ENV: 'test', REDIS_URL: server.url, CENSUS_REDIS_URL: server.url };
});

beforeEach(async () => {
  await redis.send(['FLUSHALL']);
  await redis.send(['DEBUG', 'POPULATE', String(DUE), 'mocs:user', '10']);
  await redis.send(['SETEX', 'v2:mocs:1', '104', 'x']);
  await redis.send(['SETEX', 'jobs:1', '504', 'a value that is longer']);
  await redis.send(['SET', 'sessions:bob', 'x']);
});

type Event = Parameters<typeof operate>[1]['event'];
type Report = Awaited<ReturnType<typeof operate>>;

/** One page each, until it is complete. What a caller gets has gone through JSON. */
async function pageByPage(event: Event, between: (turns: number) => Promise<void> = async () => {}) {
  const turns: Report[] = [];
  for (let last: Report | undefined; !last?.complete; ) {
    const turn = { ...event, limitSeconds: 0, ...(last && { positions: [...last.positions] }) };
    last = JSON.parse(JSON.stringify(await operate(environment, { event: turn, remainingMs: () => 90_000 })));
    if (last) turns.push(last);
    await between(turns.length);
  }
  expect(turns.length).toBeGreaterThan(3);
  return turns;
}

/** Time passes: to 10 s, and without how long it took. */
const countedAs = ({ classes, ...report }: CensusReport) => ({
  ...{ ...report, seconds: 0, largest: [] },
  classes: classes.map(({ ttlSeconds, ...each }) => ({
    ...each,
    ttls: ttlSeconds && Object.values(ttlSeconds).map((ttl) => Math.round(ttl / 10)),
  })),
});
const here = () => census({ target: { url: server.url }, env: 'test' });

describe('a census in turns', () => {
  test('adds up to the census in one', async () => {
    const whole = await here();
    const turns = (await pageByPage({ command: 'census' })) as (Report & CensusTurn)[];
    expect(whole).toMatchObject({ keys: DUE + 3, unclassified: { keys: 1 } });
    expect(countedAs(sumOfTurns(turns))).toEqual(countedAs(whole));
    expect(sumOfTurns(turns).largest[0]).toEqual(whole.largest[0]);
  });

  test('that goes on after a restart begins again, and counts no key twice', async () => {
    await redis.send(['SAVE']);
    const turns = (await pageByPage({ command: 'census' }, async (taken) => {
      if (taken !== 2) return;
      await server.restart();
      await redis.ready(10_000);
    })) as (Report & CensusTurn)[];
    expect(sumOfTurns(turns)).toMatchObject({ keys: DUE + 3, scanned: DUE + 3, complete: true });
  });
});

describe('a flush in turns', () => {
  test('adds up to all of it', async () => {
    const turns = (await pageByPage({ command: 'flush', dryRun: false })) as Extract<
      Report,
      { command: 'flush' }
    >[];
    expect(sumOfFlush(turns)).toMatchObject({
      ...{ flushed: DUE + 1, scanned: DUE + 3, keys: DUE + 3, preserved: 1, complete: true, restarts: 0 },
      classes: expect.arrayContaining([{ pattern: 'mocs:*', fate: 'flush', keys: DUE + 1 }]),
    });
    expect(await redis.send(['DBSIZE'])).toBe(2);
  });

  test('that only counts tells what all keys take, by those that it has measured', async () => {
    const event = { command: 'flush', dryRun: true, survey: true } as const;
    const whole = (await operate(environment, { event, remainingMs: () => 90_000 })) as Extract<
      Report,
      { command: 'flush' }
    >;
    const turns = (await pageByPage(event)) as (typeof whole)[];
    const [one, other] = [whole, sumOfFlush(turns)].map(({ classes }) => classes[0]);
    expect(other?.keys).toBe(DUE + 1);
    // Keys of one size, nearly.
    const share = (other?.survey?.bytes ?? 0) / (one?.survey?.bytes ?? 1);
    expect(share).toBeGreaterThan(0.9);
    expect(share).toBeLessThan(1.1);
  });

  test('without a survey no key is told', async () => {
    const report = await operate(environment, {
      event: { command: 'flush', dryRun: true },
      remainingMs: () => 90_000,
    });
    expect(JSON.stringify(report)).not.toMatch(/mocs:user|bob|samples/);
  });

  test('stops when the function has no more time', async () => {
    const report = await operate(environment, { event: { command: 'flush' }, remainingMs: () => 5000 });
    expect(report.complete).toBe(false);
    expect(report.scanned).toBeLessThan(DUE);
  });
});

test('a census without its own user is refused, and not made as another one', async () => {
  const { CENSUS_REDIS_URL: _url, ...rest } = environment;
  await expect(operate(rest, { event: { command: 'census' }, remainingMs: () => 90_000 })).rejects.toThrow(
    'census: CENSUS_REDIS_URL is not set',
  );
});

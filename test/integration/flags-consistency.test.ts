import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Acknowledgement } from '../../lambda/cache/cache.ts';
import { migrate } from '../../lambda/database/migrate.ts';
import { createPool, type Database } from '../../lambda/database/pool.ts';
import type { FlagSet } from '../../lambda/flags/schema.ts';
import type { RedisConnection } from '../../lambda/redis/connection.ts';
import { createChecker, type PendingRead } from '../../rehearsal/checker.ts';
import { type Random, seededRandom, shuffled } from '../../rehearsal/random.ts';
import { ADMIN } from '../support/flags.ts';
import { lookInto } from '../support/redis.ts';
import { freshDatabase, ownRedis } from '../support/servers.ts';
import { type InstanceOptions, openInstance } from './flags/instance.ts';

/** Two instances of the API on one Redis and one PostgreSQL: no read is older than a write that was acknowledged before it. */

const seed = Number(process.env['SEED'] ?? randomInt(2 ** 31));
const FLAGS = Array.from({ length: 10 }, (_, index) => `flag-${index}`);
/** The last one has no overrides at first. */
const USERS = ['ann', 'bob', 'new'] as const;
const PATCHES = 200;
const READS = 5000;
const READERS = 50;
/** So many PATCHes are sent at once, each time that so many reads have begun: they compete, and no read waits for all of them. */
const BURST = 20;
const READS_A_BURST = READS / (PATCHES / BURST);
/** What a read of the database, and a commit, may take longer, in milliseconds. */
const MAX_DELAY_MS = 4;

let databases: readonly [Database, Database];
let redis: RedisConnection;
let redisUrl: string;

beforeAll(async () => {
  const [{ url }, { url: databaseUrl }] = await Promise.all([ownRedis(), freshDatabase()]);
  await migrate(databaseUrl);
  redisUrl = url;
  redis = await lookInto(redisUrl);
  const pool = () => createPool({ url: databaseUrl, applicationName: 'test' });
  databases = [pool(), pool()];
});
beforeEach(async () => {
  await redis.send(['FLUSHALL']);
  await databases[0].query('TRUNCATE feature_flags CASCADE');
  await databases[0].query(
    `INSERT INTO feature_flags (environment, flag_key, enabled, updated_by)
     SELECT 'test', unnest($1::text[]), true, 'test'`,
    [FLAGS],
  );
  await databases[0].query(
    `INSERT INTO feature_flag_overrides (environment, flag_key, user_id, enabled, updated_by)
     SELECT 'test', flag_key, unnest($1::text[]), false, 'test' FROM feature_flags`,
    [USERS.slice(0, 2)],
  );
});
afterAll(() => Promise.all(databases.map((database) => database.end())));

/** Which versions an answer shows, by what they are of. */
type Versions = ReadonlyMap<string, number>;

interface Draw {
  readonly instance: 0 | 1;
  readonly key: string;
  /** Undefined: the flag as it is for everybody. */
  readonly userId: string | undefined;
}

interface DrawnRead extends Draw {
  /** Whether the whole set is read instead. */
  readonly whole: boolean;
}

const overrideOf = (key: string, userId: string) => `${key} for ${userId}`;

/** The tag names both versions: the body of an override shows its own only. */
function versionsOf({ key, userId }: Draw, etag: string | null): Versions {
  const [, flag, override = '0'] = /^"(\d+)(?:-(\d+))?"$/.exec(etag ?? '') ?? [];
  if (flag === undefined) throw new Error(`etag ${etag} tells no version`);
  const versions = new Map([[key, Number(flag)]]);
  return userId === undefined ? versions : versions.set(overrideOf(key, userId), Number(override));
}

/** All requests of a run, drawn before the first of them is sent: the seed says what they are, and the machine when. */
function drawRequests(random: Random) {
  const pick = <const T>(all: readonly [T, ...T[]]): T => all[Math.floor(random() * all.length)] ?? all[0];
  const draw = (userId: string | undefined): Draw => ({
    instance: pick([0, 1]),
    key: pick(FLAGS as [string, ...string[]]),
    userId,
  });
  const drawRead = (kind: number): DrawnRead => ({
    ...draw(kind === 2 ? pick(USERS) : undefined),
    whole: kind === 0,
  });
  const reads = Array.from({ length: READS }, (_, index) => drawRead(index % 3));
  const patches = Array.from({ length: PATCHES }, (_, index) => draw(index % 2 ? pick(USERS) : undefined));
  return { reads: shuffled(reads, random), patches };
}

const pathOf = ({ key, userId }: Draw) => (userId === undefined ? key : `${key}?userId=${userId}`);

async function workload(invalidates: InstanceOptions['invalidates']) {
  const random = seededRandom(seed);
  const { reads, patches } = drawRequests(random);
  const open = (database: Database) =>
    openInstance({ redisUrl, database, invalidates, delayMs: () => random() * MAX_DELAY_MS });
  const instances = [await open(databases[0]), await open(databases[1])] as const;
  const checker = createChecker();
  const acknowledgements: (string | null)[] = [];
  const outcomes: (string | null)[] = [];
  const stale = { 'the whole set': 0, 'a flag': 0, 'an override': 0 };

  const patch = async (drawn: Draw, index: number) => {
    const answer = await instances[drawn.instance].request(
      `/api/admin/flags/${pathOf(drawn)}`,
      {
        method: 'PATCH',
        headers: { 'content-type': 'application/merge-patch+json' },
        body: JSON.stringify({ value: { index } }),
      },
      { event: { requestContext: { authorizer: ADMIN } } },
    );
    expect(answer.status).toBe(200);
    const acknowledgement = answer.headers.get('x-invalidation') as Acknowledgement;
    acknowledgements.push(acknowledgement);
    const name = drawn.userId === undefined ? drawn.key : overrideOf(drawn.key, drawn.userId);
    const version = versionsOf(drawn, answer.headers.get('etag')).get(name) ?? 0;
    checker.acknowledged(name, { version, backend: 'serverless', acknowledgement });
  };

  const end = (
    begun: readonly PendingRead[],
    { versions, whole }: { versions: Versions; whole: boolean },
  ) => {
    for (const read of begun) {
      const version = versions.get(read.key);
      if (version === undefined) throw new Error(`the answer does not tell the version of ${read.key}`);
      const place = whole ? 'the whole set' : FLAGS.includes(read.key) ? 'a flag' : 'an override';
      if (checker.end(read, { version, backend: 'serverless' })) stale[place] += 1;
    }
  };

  const read = async (drawn: DrawnRead) => {
    const { instance, key, userId, whole } = drawn;
    const names = whole ? FLAGS : [key, ...(userId === undefined ? [] : [overrideOf(key, userId)])];
    const begun = names.map((name) => checker.begin(name));
    const answer = await instances[instance].request(`/api/config/flags${whole ? '' : `/${pathOf(drawn)}`}`);
    expect(answer.status).toBe(200);
    outcomes.push(answer.headers.get('x-cache'));
    if (!whole) return end(begun, { versions: versionsOf(drawn, answer.headers.get('etag')), whole });
    const { flags } = (await answer.json()) as FlagSet;
    end(begun, { versions: new Map(flags.map(({ key, version }) => [key, version])), whole });
  };

  const writing: Promise<void>[] = [];
  const left = reads.entries();
  await Promise.all(
    Array.from({ length: READERS }, async () => {
      for (const [index, drawn] of left) {
        if (index % READS_A_BURST === 0) writing.push(...patches.splice(0, BURST).map(patch));
        await read(drawn);
      }
    }),
  );
  await Promise.all(writing);
  return { stale, acknowledgements, outcomes };
}

describe(`${PATCHES} concurrent PATCHes and ${READS} reads, SEED=${seed}`, () => {
  test('invalidated after the commit: no read is stale', async () => {
    const { stale, acknowledgements, outcomes } = await workload('after the commit');
    expect(acknowledgements).toEqual(Array(PATCHES).fill('done'));
    expect(outcomes).toHaveLength(READS);
    expect(stale).toEqual({ 'the whole set': 0, 'a flag': 0, 'an override': 0 });
    // Otherwise nothing could have been stale.
    const times = (outcome: string) => outcomes.filter((each) => each === outcome).length;
    expect(times('hit')).toBeGreaterThan(READS / 2);
    expect(times('miss')).toBeGreaterThan(PATCHES);
    expect(times('stale')).toBe(0);
  });

  test('invalidated before the commit: reads are stale', async () => {
    const { stale } = await workload('before the commit');
    expect(Math.max(...Object.values(stale))).toBeGreaterThan(0);
  });
});

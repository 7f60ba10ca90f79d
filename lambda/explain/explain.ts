import { createKeyspace, type KeyspaceOptions } from '../cache/keyspace.ts';
import { environmentName, familiesIn } from '../cache/phase.ts';
import { replayStateOf } from '../cache/replay-gate.ts';
import type { Phase } from '../contract/environment.ts';
import { ConfigurationError } from '../contract/errors.ts';
import { retentionSeconds } from '../contract/families.ts';
import type { Environment } from '../contract/switches.ts';
import { databaseOptionsOf } from '../database/options.ts';
import { openDatabase } from '../doctor/database.ts';
import { connectRedis, type RedisConnection } from '../redis/connection.ts';
import { redisOptionsOf } from '../redis/options.ts';
import { type OutboxReport, outboxRowsOf } from './outbox.ts';
import { type PlaceReport, placeOf } from './place.ts';
import { reasonsFor } from './reasons.ts';

/** A tag of the key or of one of its entries. */
export interface TagReport {
  readonly tag: string;
  /** Now; null where it has expired, and no entry is of it. */
  readonly epoch: string | null;
  /** The places whose entry was loaded under this epoch, and those whose entry was not: they are read as a miss. */
  readonly equalAt: readonly string[];
  readonly outdatedAt: readonly string[];
}

/** All that is known of a logical key. */
export interface Explanation {
  readonly key: string;
  readonly family: string;
  readonly kind: 'cache' | 'state';
  /** Of an entry that the runtime fills; null where the family has none. */
  readonly ttlSeconds: number | null;
  /** Where each phase reads it. */
  readonly readAt: Readonly<Record<Phase, string>>;
  readonly places: readonly PlaceReport[];
  /** Beside the un-prefixed key: while it is there, a load is under way that may fill it. */
  readonly lease: PlaceReport;
  readonly tags: readonly TagReport[];
  /** By primary: whether the outbox was replayed to the life of the server that answers. */
  readonly replayed: readonly {
    readonly mark: string | null;
    readonly life: string;
    readonly isCurrent: boolean;
  }[];
  /** The latest writes that named it; undefined where the database could not be asked. */
  readonly outbox?: readonly OutboxReport[];
  /** For how long the outbox remembers. */
  readonly keptSeconds: number;
  /** Why it may have been read old, in plain words, the likeliest first; what cannot be said of it, too. */
  readonly reasons: readonly string[];
}

export interface ExplainOptions {
  readonly key: string;
  /** Whether values are told, too: they may be a person's. Never of a family of state. */
  readonly showValue?: boolean;
}

const PATIENCE_MS = 3000;

/**
 * Says of one logical key where it stands, how long for, who loads it, and what the outbox knows of it. Changes nothing. As the user of
 * RUNTIME_REDIS_URL where it is set, else of REDIS_URL.
 * @throws ConfigurationError for the variables; InvalidKeyError for the key; RedisUnavailableError.
 */
export async function explain(
  environment: Environment,
  { key, showValue = false }: ExplainOptions,
): Promise<Explanation> {
  const { REDIS_URL, RUNTIME_REDIS_URL } = environment;
  const env = environmentName(environment['NODE_ENV']);
  const families = familiesIn(environment);
  const places = createKeyspace({ phase: 'legacy', env, families }).locate(key);
  const target = redisOptionsOf({ ...environment, REDIS_URL: RUNTIME_REDIS_URL || REDIS_URL });
  if (!target) throw new ConfigurationError('explain: REDIS_URL is not set; it is redis://host:6379');
  const redis = connectRedis({
    ...{ ...target, name: 'cutover-explain', anyRole: true, deadlineMs: PATIENCE_MS, maxAttempts: 3 },
  });
  try {
    await redis.ready(PATIENCE_MS);
    const shows = showValue && places.family.kind === 'cache';
    const physical = [places.legacy, ...places.namespaced];
    const found = await Promise.all(physical.map((each) => placeOf(redis.send, each, shows)));
    const tags = await tagsOf(redis, places.tags, found);
    const { stored: _token, ...lease } = await placeOf(redis.send, places.fence, false);
    const outbox = await askedOutbox(environment, { key, tags: tags.map(({ tag }) => tag) });
    const facts = {
      key,
      family: places.family.name,
      kind: places.family.kind,
      ttlSeconds: places.family.ttlSeconds ?? null,
      readAt: homesOf(key, { env, families }),
      places: found.map(({ stored: _stored, ...place }) => place),
      lease,
      tags,
      replayed: await replayedOf(redis),
      ...(Array.isArray(outbox) && { outbox }),
      keptSeconds: retentionSeconds(families),
    };
    const failure = Array.isArray(outbox) ? undefined : (outbox as string);
    const differ = new Set(found.filter(({ kind }) => kind === 'value').map(({ stored }) => stored)).size > 1;
    return { ...facts, reasons: reasonsFor(facts, { now: Date.now(), differ, failure }) };
  } finally {
    redis.close();
  }
}

function homesOf(key: string, options: Omit<KeyspaceOptions, 'phase'>): Explanation['readAt'] {
  const homeIn = (phase: Phase) => createKeyspace({ ...options, phase }).locate(key).home;
  return {
    legacy: homeIn('legacy'),
    isolated: homeIn('isolated'),
    dual: homeIn('dual'),
    prefixed: homeIn('prefixed'),
  };
}

async function tagsOf(
  { send }: RedisConnection,
  ownTags: readonly string[],
  places: readonly PlaceReport[],
): Promise<TagReport[]> {
  const names = new Set([...ownTags, ...places.flatMap(({ epochs = {} }) => Object.keys(epochs))]);
  return Promise.all(
    [...names].map(async (tag) => {
      const reply = await send(['GET', `cutover:epoch:${tag}`]);
      const epoch = reply === null ? null : String(reply);
      const tagged = places.filter(({ epochs }) => epochs?.[tag] !== undefined);
      const isEqual = ({ epochs }: PlaceReport) => epoch !== null && epochs?.[tag] === epoch;
      return {
        ...{ tag, epoch },
        equalAt: tagged.filter(isEqual).map((each) => each.key),
        outdatedAt: tagged.filter((each) => !isEqual(each)).map((each) => each.key),
      };
    }),
  );
}

async function replayedOf(redis: RedisConnection): Promise<Explanation['replayed']> {
  const states = await Promise.all(redis.primaries().map(replayStateOf));
  return states.map(({ mark, life }) => ({ mark, life, isCurrent: mark === life }));
}

/** @returns the rows, or why there are none. */
async function askedOutbox(
  environment: Environment,
  asked: { readonly key: string; readonly tags: readonly string[] },
): Promise<OutboxReport[] | string> {
  let database: ReturnType<typeof openDatabase>;
  try {
    database = openDatabase(databaseOptionsOf(environment, 'explain'));
    return database ? await outboxRowsOf(database, asked) : 'DATABASE_URL is not set';
  } catch (error) {
    return (error as Error).message;
  } finally {
    await database?.end();
  }
}

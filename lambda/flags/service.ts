import type { Acknowledgement } from '../cache/cache.ts';
import { ProblemError } from '../contract/problem.ts';
import { type Database, queryable } from '../database/pool.ts';
import type { Writes } from '../outbox/writes.ts';
import { MAX_BODY_BYTES } from '../request/json-body.ts';
import { show } from '../request/show.ts';
import { type FlagAnswer, type FlagOutcome, type Resolve, unreadable } from './last-good.ts';
import { mergePatch } from './merge-patch.ts';
import {
  deleteFlag,
  deleteOverride,
  insertFlag,
  lockFlag,
  putOverride,
  readFlag,
  readFlags,
  readOverride,
  updateFlag,
} from './repository.ts';
import {
  type Flag,
  type FlagFields,
  type FlagPatch,
  type FlagSet,
  flagKey,
  type Override,
  type OverridePatch,
  overrideKey,
  setKey,
} from './schema.ts';
import { StoredFlag, StoredFlagSet, StoredOverride } from './stored.ts';
import { etagOf, requireMatch } from './version.ts';

/** A flag as one reader sees it, and the tag of that state. */
export interface SeenFlag {
  readonly flag: Flag;
  /** Of the reader, where there is one. */
  readonly override: Override | null;
  readonly etag: string;
}

export interface Written<T> {
  readonly value: T;
  readonly invalidation: Acknowledgement;
}

/** Who writes, and what the writer has seen before. */
export interface Author {
  readonly by: string;
  /** The tags of an `If-Match`: the write is refused where the flag has changed since. */
  readonly ifMatch?: string | undefined;
}

/** Whose flag is meant. */
export interface Target {
  readonly key: string;
  readonly userId: string;
}

/** The flags of one environment: read through the cache, written to the database and then invalidated. */
export interface Flags {
  all(): Promise<FlagAnswer<FlagSet>>;
  /** @throws ProblemError 404 for a flag that is not there. */
  one(key: string, userId?: string): Promise<FlagAnswer<SeenFlag>>;
  /** @throws ProblemError 409 for a key that is taken. */
  create(fields: FlagFields, author: Author): Promise<Written<SeenFlag>>;
  /** @throws ProblemError 404; 412 where `ifMatch` does. */
  patch(key: string, patch: FlagPatch, author: Author): Promise<Written<SeenFlag>>;
  /** @throws ProblemError 404; 412 where `ifMatch` does. */
  remove(key: string, author: Author): Promise<Acknowledgement>;
  /** Makes or changes what differs for a user. @throws as `patch`. */
  patchOverride(target: Target, patch: OverridePatch, author: Author): Promise<Written<SeenFlag>>;
  /** @throws as `remove`, also for a user without an override. */
  removeOverride(target: Target, author: Author): Promise<Acknowledgement>;
}

export interface FlagsOptions {
  readonly environment: string;
  readonly resolve: Resolve;
  readonly database: Database;
  readonly writes: Writes;
  /** Told how many flags there are, whenever they are loaded. */
  readonly onCount?: (count: number) => void;
}

/** As long as an entry lives. */
const ABSENCE = { negativeTtlSeconds: 300 };

export function createFlags({ environment, resolve, database, writes, onCount }: FlagsOptions): Flags {
  const nameOf = (key: string) => ({ environment, key });
  const overrideOf = ({ key, userId }: Target) => ({ environment, key, userId });
  const allKeys = (key: string) => [flagKey(key), setKey(environment)] as const;

  return {
    all: () =>
      resolve(
        setKey(environment),
        async () => {
          const set = await readFlags(queryable(database), environment);
          onCount?.(set.flags.length);
          return set;
        },
        { validate: StoredFlagSet },
      ),

    async one(key, userId) {
      const db = () => queryable(database);
      // In one tick, so that both travel together.
      const [shared, own] = await Promise.all([
        resolve(flagKey(key), () => readFlag(db(), nameOf(key)), { ...ABSENCE, validate: StoredFlag }),
        userId === undefined
          ? undefined
          : resolve(overrideKey(key, userId), () => readOverride(db(), { environment, key, userId }), {
              ...ABSENCE,
              validate: StoredOverride,
            }),
      ]);
      // That there was none says nothing of now.
      if (!shared.value) throw shared.outcome === 'stale' ? unreadable() : unknownFlag(key);
      return {
        value: seen(shared.value, own?.value ?? null),
        outcome: own ? worse(shared.outcome, own.outcome) : shared.outcome,
      };
    },

    async create(fields, { by }) {
      const { value, invalidation } = await writes.withTransaction(async (tx) => {
        const flag = await insertFlag(tx, environment, { fields, by });
        if (flag) tx.invalidate(...allKeys(fields.key));
        return flag;
      });
      if (!value) throw new ProblemError(409, `flag ${show(fields.key)} exists already; PATCH it`);
      return { value: seen(value, null), invalidation };
    },

    async patch(key, patch, { by, ifMatch }) {
      const { value, invalidation } = await writes.withTransaction(async (tx) => {
        const flag = await lockFlag(tx, nameOf(key));
        if (!flag) throw unknownFlag(key);
        requireMatch(ifMatch, etagOf(flag, null));
        const { description, enabled, value } = flag;
        const merged = mergePatch({ description, enabled, value }, patch) as FlagPatch;
        const fields = { key, description: merged.description ?? '', enabled: merged.enabled ?? enabled };
        tx.invalidate(...allKeys(key));
        return updateFlag(tx, environment, { fields: { ...fields, value: fitting(merged.value) }, by });
      });
      return { value: seen(value, null), invalidation };
    },

    async remove(key, { ifMatch }) {
      const { invalidation } = await writes.withTransaction(async (tx) => {
        const flag = await lockFlag(tx, nameOf(key));
        if (!flag) throw unknownFlag(key);
        requireMatch(ifMatch, etagOf(flag, null));
        const users = await deleteFlag(tx, nameOf(key));
        tx.invalidate(...allKeys(key), ...users.map((userId) => overrideKey(key, userId)));
      });
      return invalidation;
    },

    async patchOverride(target, patch, { by, ifMatch }) {
      const { key, userId } = target;
      const { value, invalidation } = await writes.withTransaction(async (tx) => {
        const flag = await lockFlag(tx, nameOf(key));
        if (!flag) throw unknownFlag(key);
        const before = await readOverride(tx, overrideOf(target));
        requireMatch(ifMatch, etagOf(flag, before));
        const { enabled, value } = before ?? {};
        const merged = mergePatch({ enabled, value }, patch) as OverridePatch;
        const fields = {
          ...(typeof merged.enabled === 'boolean' && { enabled: merged.enabled }),
          value: fitting(merged.value),
        };
        tx.invalidate(overrideKey(key, userId));
        return { flag, override: await putOverride(tx, overrideOf(target), { fields, by }) };
      });
      return { value: seen(value.flag, value.override), invalidation };
    },

    async removeOverride(target, { ifMatch }) {
      const { key, userId } = target;
      const { invalidation } = await writes.withTransaction(async (tx) => {
        const flag = await lockFlag(tx, nameOf(key));
        if (!flag) throw unknownFlag(key);
        requireMatch(ifMatch, etagOf(flag, await readOverride(tx, overrideOf(target))));
        if (!(await deleteOverride(tx, overrideOf(target)))) {
          throw new ProblemError(404, `user ${show(userId)} has no override of flag ${show(key)}`);
        }
        tx.invalidate(overrideKey(key, userId));
      });
      return invalidation;
    },
  };
}

const unknownFlag = (key: string) => new ProblemError(404, `there is no flag ${show(key)}`);

/** A flag, with what differs for its reader. */
function seen(flag: Flag, override: Override | null): SeenFlag {
  return { flag: override ? { ...flag, ...override } : flag, override, etag: etagOf(flag, override) };
}

/** From good to bad. */
const OUTCOMES: readonly FlagOutcome[] = ['hit', 'miss', 'bypass', 'stale'];
const worse = (one: FlagOutcome, other: FlagOutcome): FlagOutcome =>
  OUTCOMES.indexOf(one) < OUTCOMES.indexOf(other) ? other : one;

/** A value may grow patch by patch. @throws ProblemError 413. */
function fitting(value: unknown): unknown {
  const bytes = value === undefined ? 0 : Buffer.byteLength(JSON.stringify(value));
  if (bytes <= MAX_BODY_BYTES) return value;
  throw new ProblemError(413, `value would have ${bytes} bytes, and ${MAX_BODY_BYTES} are kept`);
}

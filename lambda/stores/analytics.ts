import { randomUUID } from 'node:crypto';
import type { PhysicalKey } from '../cache/keyspace.ts';
import { ProblemError } from '../contract/problem.ts';
import { parseId } from '../request/id.ts';
import {
  ANALYTICS_SECONDS,
  type Analytics,
  analyticsOf,
  countField,
  eventField,
  type Fields,
  fieldsOf,
  type Join,
  joinCommand,
  joined,
  lacks,
  MAX_EVENT_BYTES,
} from './analytics-record.ts';
import type { StatePlaces } from './places.ts';
import type { StateRedis } from './state-redis.ts';

export type { Analytics, AnalyticsEvent } from './analytics-record.ts';

/** What happened in this process so far. */
export interface AnalyticsMetrics {
  readonly recorded: number;
  /** Events that Redis did not confirm. */
  readonly dropped: number;
  readonly reads: number;
  /** Reads without an answer. */
  readonly unavailable: number;
  /** Reads in phase `dual` for which the un-prefixed key had something that the other had not: at 0 for a while, it is no longer needed. */
  readonly legacyFallbacks: number;
}

export interface SessionAnalytics<Type extends string> {
  /**
   * Counts and remembers an event of a classroom session. Redis away, or something else under the key, costs the event.
   * @throws ProblemError 400 for an event that is too large or of another type, or for what is no id.
   */
  record(
    sessionId: string,
    event: { readonly type: Type; readonly data?: unknown },
  ): Promise<'recorded' | 'dropped'>;
  /** What is known of a session; one that nobody has recorded has no counts. @throws ProblemError 400 for what is no id. */
  read(
    sessionId: string,
  ): Promise<{ readonly kind: 'known'; readonly analytics: Analytics } | { readonly kind: 'unavailable' }>;
  getMetrics(): AnalyticsMetrics;
}

export interface AnalyticsOptions<Type extends string> {
  readonly redis: StateRedis;
  /** All types of events: a counter each. */
  readonly types: readonly Type[];
  /** The wall clock, in milliseconds. */
  readonly now?: () => number;
}

const LIVES = { forMs: ANALYTICS_SECONDS * 1000 };

export const analyticsKey = (sessionId: string): string =>
  `analytics:session:${parseId('sessionId', sessionId)}`;

/** Counters and recent events of classroom sessions: bounded, exact in every phase, and worth nothing that a user waits for. */
export function createAnalytics<Type extends string>({
  redis,
  types,
  now = Date.now,
}: AnalyticsOptions<Type>): SessionAnalytics<Type> {
  const metrics = { recorded: 0, dropped: 0, reads: 0, unavailable: 0, legacyFallbacks: 0 };

  const fieldsIn = async (family: string, place: PhysicalKey): Promise<Fields | undefined> => {
    const answer = await redis.ask(family, ['HGETALL', place]);
    return typeof answer === 'object' ? fieldsOf(answer.reply) : undefined;
  };

  /** @returns the count that was raised, `absent` for a key that was to be there, undefined where Redis does not confirm it. */
  const join = async (family: string, how: Omit<Join, 'lives'>): Promise<number | 'absent' | undefined> => {
    const answer = await redis.ask(family, joinCommand({ ...how, lives: LIVES }));
    if (typeof answer !== 'object') return undefined;
    return answer.reply === null ? 'absent' : Number((answer.reply as readonly unknown[])[1]);
  };

  /** Joins into a place, of two that are kept; one that is not there is given all that the other has. */
  const joinSeeded = async (
    { family, write }: StatePlaces,
    { place, fields, raise = '' }: { place: PhysicalKey; fields: Fields; raise?: string },
  ) => {
    const other = write.find((each) => each !== place);
    const raised = await join(family, { place, fields, raise, onlyPresent: other !== undefined });
    if (raised !== 'absent' || !other) return raised;
    const seed = await fieldsIn(family, other);
    return seed && join(family, { place, fields: joined([seed, fields]), raise });
  };

  return {
    async record(sessionId, { type, data }) {
      const key = analyticsKey(sessionId);
      const atMs = now();
      const fields = { [eventField(atMs, randomUUID())]: encode({ type, atMs, data }, types) };
      const places = redis.locate(key);
      const [home, copy] = places.write;
      const raise = countField(home === key ? 'legacy' : 'prefixed', type);
      const raised = await joinSeeded(places, { place: home as PhysicalKey, fields, raise });
      metrics[typeof raised === 'number' ? 'recorded' : 'dropped'] += 1;
      if (typeof raised !== 'number') return 'dropped';
      // Where that fails, a read asks both, and the next event tells it.
      if (copy) await joinSeeded(places, { place: copy, fields: { ...fields, [raise]: String(raised) } });
      return 'recorded';
    },

    async read(sessionId) {
      metrics.reads += 1;
      const { family, read } = redis.locate(analyticsKey(sessionId));
      const answers = await Promise.all(read.map((place) => fieldsIn(family, place)));
      const found = answers.filter((each) => each !== undefined);
      if (found.length === 0 || found.length < answers.length) {
        metrics.unavailable += 1;
        return { kind: 'unavailable' };
      }
      const known = joined(found);
      const [home] = read;
      if (home && lacks(found[0] ?? {}, known)) {
        metrics.legacyFallbacks += 1;
        await join(family, { place: home, fields: known });
      }
      return { kind: 'known', analytics: analyticsOf(known) };
    },

    getMetrics: () => ({ ...metrics }),
  };
}

/** @throws ProblemError 400. */
function encode(event: { type: string; atMs: number; data: unknown }, types: readonly string[]): string {
  const { type } = event;
  if (!types.includes(type)) {
    throw new ProblemError(400, `type ${JSON.stringify(type.slice(0, 60))} is none of ${types.join(', ')}`);
  }
  const json = JSON.stringify(event);
  const bytes = Buffer.byteLength(json);
  if (bytes <= MAX_EVENT_BYTES) return json;
  throw new ProblemError(400, `the event has ${bytes} bytes as JSON; it must be ${MAX_EVENT_BYTES} at most`);
}

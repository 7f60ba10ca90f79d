/** The property of a flush: exactly what is due is gone, and the rest is as it was, whatever happens meanwhile. */
import { expect } from '@jest/globals';
import fc from 'fast-check';
import { type FlushReport, flush } from '../../../../lambda/flush/flush.ts';
import type { Target } from '../../../../lambda/flush/pass/servers.ts';
import { planFlush } from '../../../../lambda/flush/plan/plan.ts';
import type { RedisConnection } from '../../../../lambda/redis/connection.ts';
import { contentsOf, without } from '../../../support/contents.ts';
import { type Case, cases, commandsFor, storedIn } from './keyspaces.ts';

/** What happens in the middle of a flush. */
export interface Trouble {
  /** Called before the flush. */
  readonly before?: () => Promise<unknown>;
  /** Called once, after a page that is drawn; the flush does not wait for it. */
  readonly strike: () => Promise<void>;
  /** Resolves when the server is what it was. */
  readonly over: () => Promise<void>;
}

export interface PropertyOptions {
  readonly target: Target;
  /** To the same Redis; answers buffers. */
  readonly redis: () => RedisConnection;
  /** To a Redis that is asked what matches; answers buffers. */
  readonly oracle: RedisConnection;
  readonly numRuns: number;
  readonly seed: number;
  readonly trouble?: Trouble;
}

/** What a property has seen, for a test to see that it was not nothing. */
export interface Seen {
  keys: number;
  deleted: number;
  restarts: number;
}

export async function flushHolds(options: PropertyOptions): Promise<Seen> {
  const seen: Seen = { keys: 0, deleted: 0, restarts: 0 };
  const drawn = fc.tuple(cases, fc.integer({ min: 1, max: 3 }));
  await fc.assert(
    fc.asyncProperty(drawn, async ([drawnCase, strikeAfterPage]) => {
      const report = await holds(drawnCase, { ...options, strikeAfterPage });
      seen.keys += storedIn(drawnCase).length;
      seen.deleted += report.flushed;
      seen.restarts += report.restarts;
    }),
    { numRuns: options.numRuns, seed: options.seed, endOnFailure: true },
  );
  return seen;
}

async function holds(
  drawn: Case,
  { target, redis, oracle, trouble, strikeAfterPage }: PropertyOptions & { readonly strikeAfterPage: number },
): Promise<FlushReport> {
  const { patterns, preserve, maxLatencyMs } = drawn;
  await Promise.all(
    redis()
      .primaries()
      .map(({ send }) => send(['FLUSHALL'])),
  );
  await Promise.all(
    storedIn(drawn)
      .flatMap(commandsFor)
      .map((command) => redis().send(command)),
  );
  const before = await contentsOf(redis());
  const plan = planFlush({ env: 'test', patterns, preserve });
  const due = await dueAccordingTo(oracle, {
    keys: Object.keys(before),
    flush: plan.flush,
    preserve: plan.preserve,
  });

  await trouble?.before?.();

  let pages = 0;
  let striking: Promise<void> | undefined;
  const report = await flush({
    target,
    plan,
    maxLatencyMs,
    onProgress() {
      pages += 1;
      if (pages === strikeAfterPage) striking = trouble?.strike();
    },
  });
  await striking;
  await trouble?.over();

  expect(report.complete).toBe(true);
  expect(await contentsOf(redis())).toEqual(without(before, due));
  return report;
}

interface Question {
  readonly keys: readonly string[];
  readonly flush: readonly string[];
  readonly preserve: readonly string[];
}

/** Which keys are due, matched by Redis itself. */
async function dueAccordingTo(
  oracle: RedisConnection,
  { keys, flush, preserve }: Question,
): Promise<string[]> {
  const namesOf = (key: string) => {
    const namespace = ['v2:', 'cw:test:'].find((each) => key.startsWith(each)) ?? '';
    return [key, key.slice(namespace.length)];
  };
  await oracle.send(['FLUSHALL']);
  const names = [...new Set(keys.flatMap(namesOf))];
  await Promise.all(names.map((name) => oracle.send(['SET', Buffer.from(name, 'latin1'), ''])));
  const matched = async (patterns: readonly string[]) => {
    const found = await Promise.all(
      patterns.map((pattern) => oracle.send(['KEYS', pattern]) as Promise<Buffer[]>),
    );
    return new Set(found.flat().map((name) => name.toString('latin1')));
  };
  const [flushed, kept] = [await matched(flush), await matched([...preserve, 'cutover:*'])];
  return keys.filter((key) => {
    const own = namesOf(key);
    return own.some((name) => flushed.has(name)) && !own.some((name) => kept.has(name));
  });
}

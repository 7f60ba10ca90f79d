import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Acknowledgement } from '../../lambda/cache/cache.ts';
import { type Backend, type Checker, createChecker } from '../../rehearsal/checker.ts';

let now = 0;
let checker: Checker;

beforeEach(() => {
  now = 1000;
  checker = createChecker(() => now);
});

const wrote = (
  version: number,
  backend: Backend = 'express',
  acknowledgement: Acknowledgement = 'done',
  key = 'K',
) => checker.acknowledged(key, { version, backend, acknowledgement });

/** A read that begins and ends now. */
const read = (version: number, backend: Backend = 'serverless', key = 'K') =>
  checker.end(checker.begin(key), { version, backend });

describe('a read', () => {
  test('of a key that nobody wrote may return anything', () => {
    expect(read(0)).toBe(false);
    expect(read(99)).toBe(false);
    expect(checker.summary()).toMatchObject({ staleReads: 0, crossBackendReads: 0, writes: 0 });
  });

  test('that began after the acknowledgement and returns an older version is stale, whoever serves it', () => {
    wrote(7, 'express');
    expect(read(6, 'serverless')).toBe(true);
    expect(read(6, 'express')).toBe(true);
    expect(read(5, 'express')).toBe(true);
    expect(checker.summary()).toMatchObject({ staleReads: 3, staleByBackend: { express: 2, serverless: 1 } });
  });

  test('of the acknowledged version, or a newer one, is not', () => {
    wrote(7);
    expect(read(7)).toBe(false);
    expect(read(8)).toBe(false);
    expect(checker.summary().staleReads).toBe(0);
  });

  test('that overlaps the write may return either', () => {
    wrote(1);
    const [first, second] = [checker.begin('K'), checker.begin('K')];
    wrote(2);
    expect(checker.end(first, { version: 1, backend: 'serverless' })).toBe(false);
    expect(checker.end(second, { version: 2, backend: 'serverless' })).toBe(false);
    expect(read(1)).toBe(true);
  });

  test('that overlaps a write is still stale when it misses the one before', () => {
    wrote(2);
    const overlapping = checker.begin('K');
    wrote(3);
    expect(checker.end(overlapping, { version: 1, backend: 'express' })).toBe(true);
  });

  test('of another key is not', () => {
    wrote(7, 'express', 'done', 'K');
    expect(read(0, 'express', 'L')).toBe(false);
  });

  test('stays stale however much later it begins', () => {
    wrote(7);
    now += 3_600_000;
    expect(read(6)).toBe(true);
  });

  test('after acknowledgements out of the order of the versions is held to the newest of them', () => {
    wrote(9, 'express');
    wrote(8, 'serverless');
    expect(read(8)).toBe(true);
    expect(read(9)).toBe(false);
    for (let version = 100; version > 9; version -= 1) wrote(version);
    expect(read(99)).toBe(true);
    expect(read(100)).toBe(false);
  });

  test('of a key with very many writes is still held to the last', () => {
    for (let version = 1; version <= 1000; version += 1) wrote(version);
    expect(read(999)).toBe(true);
    expect(read(1000)).toBe(false);
  });
});

describe('after a write that said pending', () => {
  test('a read within two seconds may return the old value, and is counted apart', () => {
    wrote(7, 'express', 'pending');
    expect(read(6)).toBe(false);
    now += 1999;
    expect(read(6)).toBe(false);
    expect(checker.summary()).toMatchObject({ staleReads: 0, boundedStaleReads: 2 });
  });

  test('one that begins later is stale', () => {
    wrote(7, 'express', 'pending');
    now += 2000;
    expect(read(6)).toBe(true);
    expect(checker.summary()).toMatchObject({ staleReads: 1, boundedStaleReads: 0 });
  });

  test('it is the beginning of the read that counts, not its end', () => {
    wrote(7, 'express', 'pending');
    now += 1999;
    const reading = checker.begin('K');
    now += 5000;
    expect(checker.end(reading, { version: 6, backend: 'serverless' })).toBe(false);
    expect(checker.summary()).toMatchObject({ staleReads: 0, boundedStaleReads: 1 });
  });

  test('an older write that said done is no excuse', () => {
    wrote(7, 'express', 'done');
    wrote(8, 'express', 'pending');
    expect(read(7)).toBe(false);
    expect(read(6)).toBe(true);
    expect(checker.summary()).toMatchObject({ staleReads: 1, boundedStaleReads: 1 });
  });

  test('a newer write that said done binds at once', () => {
    wrote(7, 'express', 'pending');
    wrote(8, 'express', 'done');
    expect(read(7)).toBe(true);
    expect(read(6)).toBe(true);
  });
});

describe('the summary', () => {
  test('counts the reads by the other backend than that of the last acknowledged write', () => {
    read(0, 'express');
    wrote(1, 'express');
    read(1, 'express');
    read(1, 'serverless');
    read(1, 'serverless');
    wrote(2, 'serverless');
    read(2, 'serverless');
    read(2, 'express');
    expect(checker.summary()).toMatchObject({ crossBackendReads: 3, writes: 2, staleReads: 0 });
  });

  test('says how long after an acknowledgement an older version was still read', () => {
    wrote(7);
    now += 400;
    read(6);
    now += 834;
    read(6);
    wrote(8);
    now += 100;
    read(7);
    expect(checker.summary()).toMatchObject({ longestStaleSeconds: 1.234, staleReads: 3 });
  });

  test('takes the oldest write that a read missed for that', () => {
    wrote(7);
    now += 1000;
    wrote(8);
    now += 500;
    read(6);
    expect(checker.summary().longestStaleSeconds).toBe(1.5);
  });

  test('is of its moment', () => {
    wrote(7);
    const before = checker.summary();
    read(6);
    expect(before.staleByBackend).toEqual({ express: 0, serverless: 0 });
  });
});

describe('a stale read is explained', () => {
  test('by what was read, and by the last write that it had to see', () => {
    wrote(7, 'express');
    now += 1000;
    wrote(8, 'serverless');
    now += 250;
    const reading = checker.begin('K');
    now += 30;
    checker.end(reading, { version: 6, backend: 'express' });
    expect(checker.explained()).toEqual([
      {
        at: Math.round(performance.timeOrigin + now),
        key: 'K',
        readBy: 'legacy',
        writtenBy: 'serverless',
        versionRead: 6,
        versionWritten: 8,
        ageMs: 250,
      },
    ]);
  });

  test('not by a write that did not bind yet', () => {
    wrote(7, 'express', 'done');
    wrote(8, 'serverless', 'pending');
    read(6);
    expect(checker.explained()).toEqual([
      expect.objectContaining({ writtenBy: 'legacy', versionWritten: 7 }),
    ]);
  });

  test('newest first, and only the last twenty; what was not stale is not', () => {
    wrote(100);
    for (let version = 0; version < 50; version += 1) read(version);
    read(100);
    expect(checker.explained().map(({ versionRead }) => versionRead)).toEqual(
      Array.from({ length: 20 }, (_, index) => 49 - index),
    );
    expect(checker.summary().staleReads).toBe(50);
  });
});

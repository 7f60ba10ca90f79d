import { describe, expect, test } from '@jest/globals';
import type { Cursor } from '../../../lambda/contract/rollout.ts';
import { judgeRecovered, type MinuteFigures, observe } from '../../../lambda/rollout/watch.ts';

const MINUTE_MS = 60_000;
const BEGAN = Date.parse('2026-11-27T03:00:00Z');
const CURSOR: Cursor = {
  stages: [
    { percent: 5, minutes: 20, approval: true },
    { percent: 50, minutes: 20 },
  ],
  ...{ index: 0, step: 'observe', percent: 5, weights: { legacy: 95, serverless: 5 }, note: '' },
  advancedAt: new Date(BEGAN).toISOString(),
};
const MINUTE: Omit<MinuteFigures, 'at'> = {
  ...{ requests: 100, errors: 0, hits: 45, misses: 5, connectionFailures: 0, staleEntries: 0 },
  latencies: [{ p95Ms: 20, samples: 50 }],
};

/** Looks after so many minutes, each of which is like the others unless it is changed. */
const look = (
  after: number,
  change: (minute: number) => Partial<MinuteFigures> = () => ({}),
  lateMs?: number,
) =>
  observe(CURSOR, {
    now: BEGAN + after * MINUTE_MS,
    ...(lateMs !== undefined && { lateMs }),
    figures: {
      minutes: async () =>
        Array.from({ length: after + 5 }, (_, at) => ({
          ...{ ...MINUTE, at: BEGAN + (at - 5) * MINUTE_MS },
          ...change(at - 5),
        })),
    },
  });

describe('a stage', () => {
  test('is watched for its time, and for as long as metrics are late', async () => {
    expect(await look(21)).toMatchObject({ verdict: 'watching', cursor: CURSOR });
    expect(await look(22)).toMatchObject({
      verdict: 'passed',
      cursor: { index: 1, step: 'approve', advancedAt: null },
    });
    expect(await look(20, undefined, 0)).toMatchObject({ verdict: 'passed' });
  });

  test('is not judged by what was before it', async () => {
    const before = (minute: number) => (minute < 0 ? { errors: 50, staleEntries: 1 } : {});
    expect(await look(22, before)).toMatchObject({ verdict: 'passed' });
  });

  test('may have a cold cache for 10 minutes, and no longer', async () => {
    const coldFor = (minutes: number) => (minute: number) =>
      minute < minutes ? { hits: 0, misses: 50, latencies: [{ p95Ms: 500, samples: 50 }] } : {};
    expect(await look(22, coldFor(10))).toMatchObject({ verdict: 'passed' });
    await expect(look(22, coldFor(20))).rejects.toThrow('hit rate 0.15 is not above 0.8; p95 of hits 420 ms');
  });

  test('with few reads is judged by minutes of its recovery, too, and in the meantime by none of them', async () => {
    const few = (cold: number) => (minute: number) => {
      const hits = minute < cold ? 0 : 12;
      return { hits, misses: minute < cold ? 12 : 0, latencies: [{ p95Ms: 20, samples: hits }] };
    };
    // 12 minutes after the recovery have 144 reads, and 5 before that what is missing of 200.
    expect(await look(22, few(5))).toMatchObject({ verdict: 'passed', figures: { reads: 204, hits: 204 } });
    await expect(look(22, few(9))).rejects.toThrow('hit rate 0.76 is not above 0.8');
    expect(await look(21, few(9))).toMatchObject({ verdict: 'watching' });
  });

  test.each<[string, Partial<MinuteFigures>]>([
    ['connections to Redis failed', { connectionFailures: 1 }],
    ['entries older than their rows', { staleEntries: 1 }],
  ])('fails at once where %s, in its first minute already', async (message, change) => {
    await expect(look(2, (minute) => (minute === 1 ? change : {}))).rejects.toThrow(message);
  });

  test('is not failed early by one error of few requests, and is by it in the end', async () => {
    const oneError = (minute: number) => (minute === 1 ? { errors: 3 } : {});
    expect(await look(3, oneError)).toMatchObject({ verdict: 'watching' });
    await expect(look(22, oneError)).rejects.toThrow('at 5 %: errors 0.14 %');
  });

  test('that is not advanced is not watched', async () => {
    const figures = { minutes: async () => [] };
    await expect(observe({ ...CURSOR, advancedAt: null }, { figures, now: BEGAN })).rejects.toThrow(
      'not advanced',
    );
  });
});

describe('a recovery', () => {
  const rates = { lowestPercent: 41.4, lastPercent: 88 };

  test.each(['recovered', 'did not fall'] as const)('goes on: %s', (verdict) => {
    expect(judgeRecovered({ verdict, ...rates })).toEqual({
      ...{ verdict: 'recovered', text: `${verdict}: lowest 41 %, last 88 %` },
    });
  });

  test('waits while it is too early', () => {
    expect(judgeRecovered({ verdict: 'too early', ...rates }).verdict).toBe('wait');
  });

  test.each(['not recovered', 'too few reads'] as const)('goes back: %s', (verdict) => {
    expect(() => judgeRecovered({ verdict, lowestPercent: undefined, lastPercent: undefined })).toThrow(
      `10 minutes after the flush: ${verdict}, lowest unknown`,
    );
  });
});

import { beforeEach, describe, expect, test } from '@jest/globals';
import type { FlushProgress } from '../../lambda/flush/flush.ts';
import { type ConductorOptions, conduct, type StageEvent } from '../../rehearsal/conductor.ts';
import { createRecorder, type Recorder } from '../../rehearsal/recorder.ts';

/** What happens, in order. */
let log: string[];
let events: StageEvent[];
let recorder: Recorder;

beforeEach(() => {
  log = [];
  events = [];
  recorder = createRecorder();
});

/** Requests that the serverless backend answers. */
const reads = (count: number, hits: number, more: { status?: number; latencyMs?: number } = {}) => {
  for (let index = 0; index < count; index += 1) {
    const cache = index < hits ? 'hit' : 'miss';
    recorder.record({ backend: 'serverless', status: 200, latencyMs: 2, cache, ...more });
  }
};

/** A router whose users answer a new weight with these requests, soon. */
function routerThat(answers: (weightPercent: number) => void) {
  let weight = 0;
  return {
    get weightPercent() {
      return weight;
    },
    set weightPercent(to: number) {
      log.push(`weight ${weight} -> ${to}`);
      weight = to;
      setTimeout(() => answers(to), 1);
    },
  };
}

let flushes = 0;

const options = (more: Partial<ConductorOptions>): ConductorOptions => ({
  stages: [
    { weightPercent: 5, seconds: 0.1 },
    { weightPercent: 40, seconds: 0.06 },
    { weightPercent: 100, seconds: 0.06 },
  ],
  router: routerThat(() => reads(250, 240)),
  recorder,
  probe: { takeP95Ms: () => 1.25, stop: async () => {} },
  flush: async (onlyNamespace): Promise<FlushProgress> => {
    flushes += 1;
    log.push(`flush ${onlyNamespace ?? 'all'}`);
    return { scanned: 999, keys: 999, flushed: 10 + flushes, preserved: 300, seconds: 0.05 };
  },
  signal: new AbortController().signal,
  onEvent: (event) => {
    events.push(event);
    log.push(event.kind);
  },
  ...more,
});

const stageLog = (from: number, to: number) => [
  'flush all',
  'flushed',
  'waiting',
  'weight',
  `weight ${from} -> ${to}`,
  'judged',
];

describe('a rollout', () => {
  test('flushes, waits, advances the weight and judges, stage by stage', async () => {
    const reports = await conduct(options({}));
    expect(log).toEqual([...stageLog(0, 5), ...stageLog(5, 40), ...stageLog(40, 100)]);
    expect(reports.map(({ weightPercent, gate }) => [weightPercent, gate])).toEqual([
      [5, 'pass'],
      [40, 'pass'],
      [100, 'pass'],
    ]);
  });

  test('waits a tenth of the stage, and at most two minutes', async () => {
    await conduct(options({}));
    const waits = events.flatMap((event) => (event.kind === 'waiting' ? [event.seconds] : []));
    expect(waits[0]).toBeCloseTo(0.01, 9);
    expect(waits[1]).toBeCloseTo(0.006, 9);
  });

  test('reports each stage with what it saw', async () => {
    flushes = 0;
    const [first, second] = await conduct(options({}));
    expect(first).toEqual({
      weightPercent: 5,
      flush: { deleted: 11, preserved: 300, seconds: 0.05 },
      hitRate: { before: null, lowest: 0.8, after: 0.95 },
      recoverySeconds: null,
      p95Ms: { express: null, serverless: 2 },
      databaseP95Ms: { before: 1.25, during: 1.25, after: 1.25 },
      gate: 'pass',
      reasons: [],
    });
    expect(second).toMatchObject({ flush: { deleted: 12 }, hitRate: { before: 0.95 } });
  });

  test('sees the hit rate fall and recover', async () => {
    let fallen = false;
    const watched: Recorder = {
      ...recorder,
      trailingRate(...args) {
        const rate = recorder.trailingRate(...args);
        // As soon as the fall was seen, however slow the machine is.
        if (rate === 0 && !fallen) setTimeout(() => reads(240, 240), 20);
        fallen ||= rate === 0;
        return rate;
      },
    };
    const router = routerThat(() => reads(60, 0));
    const stages = [{ weightPercent: 100, seconds: 0.5 }];
    const [stage] = await conduct(options({ router, recorder: watched, stages }));
    expect(stage).toMatchObject({ gate: 'pass', hitRate: { before: null, lowest: 0, after: 1 } });
    expect(stage?.recoverySeconds).toBeGreaterThan(0.02);
    expect(stage?.recoverySeconds).toBeLessThan(0.5);
  });
});

describe('a stage that fails its gate', () => {
  const back = ['weight 40 -> 0', 'flush v2:', 'rolled back'];

  test.each<[string, () => void, RegExp]>([
    ['for its hit rate', () => reads(250, 150), /^hit rate 0.50 is not above 0.8$/],
    ['for too few reads', () => reads(120, 120), /^120 reads are fewer than the 200/],
    ['for its errors', () => reads(250, 250, { status: 500 }), /^errors 100.00 % are not below 0.1 %$/],
    [
      'for its hits’ latency',
      () => reads(250, 250, { latencyMs: 150 }),
      /^p95 of hits 150(\.\d+)? ms is not below 100 ms$/,
    ],
  ])(
    '%s: all goes back, then only the serverless entries are flushed, and nothing follows',
    async (_why, bad, reason) => {
      const router = routerThat((weight) => {
        if (weight === 5) reads(250, 250);
        if (weight === 40) bad();
      });
      const reports = await conduct(options({ router }));
      expect(log).toEqual([...stageLog(0, 5), ...stageLog(5, 40), ...back]);
      expect(router.weightPercent).toBe(0);
      expect(reports.map(({ gate }) => gate)).toEqual(['pass', 'fail']);
      expect(reports[1]?.reasons).toEqual([expect.stringMatching(reason)]);
    },
  );

  test('has no new serverless traffic while its entries are flushed', async () => {
    const router = routerThat(() => {});
    let weightAtFlush: number | undefined;
    const base = options({ router });
    const flush = async (only?: string) => {
      if (only === 'v2:') weightAtFlush = router.weightPercent;
      return base.flush(only);
    };
    const [stage, ...more] = await conduct({ ...base, flush });
    expect(stage?.reasons).toEqual(['no request was answered', expect.stringContaining('0 reads')]);
    expect(more).toEqual([]);
    expect(weightAtFlush).toBe(0);
  });
});

test('a flush that fails ends the rollout before the weight moves', async () => {
  const failing = options({ flush: () => Promise.reject(new Error('NOPERM')) });
  await expect(conduct(failing)).rejects.toThrow('NOPERM');
  expect(failing.router.weightPercent).toBe(0);
  expect(log).toEqual([]);
});

test('an abort ends it where it is', async () => {
  const ending = new AbortController();
  const router = routerThat(() => ending.abort());
  await expect(conduct(options({ router, signal: ending.signal }))).rejects.toMatchObject({
    name: 'AbortError',
  });
  expect(log).toEqual(stageLog(0, 5).slice(0, -1));
});

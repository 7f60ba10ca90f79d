import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { STATES } from '../../lambda/contract/rollout.ts';
import type { FlushProgress } from '../../lambda/flush/flush.ts';
import { type ConductorOptions, conduct, type StageEvent } from '../../rehearsal/conductor.ts';
import { createRecorder, type Recorder } from '../../rehearsal/recorder.ts';
import type { RolloutControl } from '../../rehearsal/rollout/control.ts';
import { createTimeline, type Timeline } from '../../rehearsal/timeline.ts';

/** After the span in which the weight has moved, which is no part of the stage. */
const SOON_MS = 10;

/** What happens, in order. */
let log: string[];
let events: StageEvent[];
let recorder: Recorder;
let timeline: Timeline;

const timers = new Set<NodeJS.Timeout>();
/** Not after the test has ended: the next one has a recorder of its own. */
const later = (work: () => void, ms = SOON_MS) => void timers.add(setTimeout(work, ms));
afterEach(() => {
  for (const timer of timers) clearTimeout(timer);
  timers.clear();
});

beforeEach(() => {
  log = [];
  events = [];
  recorder = createRecorder();
  timeline = createTimeline({ spanMs: 5 });
});

/** Requests that the serverless backend answers. */
const reads = (count: number, hits: number, more: { status?: number; latencyMs?: number } = {}) => {
  for (let index = 0; index < count; index += 1) {
    const cache = index < hits ? 'hit' : 'miss';
    const observation = { backend: 'serverless', status: 200, latencyMs: 2, cache, ...more } as const;
    recorder.record(observation);
    timeline.record(observation);
  }
};

/** A router whose users answer a new weight with these requests, as soon as it is observed. */
function routerThat(answers: (weightPercent: number) => void) {
  let weight = 0;
  return {
    get weightPercent() {
      return weight;
    },
    set weightPercent(to: number) {
      log.push(`weight ${weight} -> ${to}`);
      weight = to;
      later(() => answers(to));
    },
  };
}

let flushes = 0;

const COVERED = {
  ...{ judged: true, complete: true, writers: [] },
  instances: [{ service: 'legacy', mirror: true }],
};
const same = async () => ({ status: 200, body: '[]' });

const options = (more: Partial<ConductorOptions>): ConductorOptions => ({
  stages: [
    { weightPercent: 5, seconds: 0.3 },
    { weightPercent: 40, seconds: 0.2 },
    { weightPercent: 100, seconds: 0.2 },
  ],
  router: routerThat(() => reads(250, 240)),
  ...{ recorder, timeline, staleReads: () => 0, connectionFailures: () => 0 },
  coverage: async () => COVERED,
  compare: { paths: ['/lists/1'], legacy: same, serverless: same, againMs: 0 },
  probe: { takeP95Ms: () => 1.25, stop: async () => {} },
  flush: async (onlyNamespace): Promise<FlushProgress> => {
    flushes += 1;
    log.push(`flush ${onlyNamespace ?? 'all'}`);
    // The hit rate has to come back before the weight is moved.
    if (onlyNamespace === undefined) later(() => reads(60, 60));
    return { scanned: 999, keys: 999, flushed: 10 + flushes, preserved: 300, seconds: 0.05 };
  },
  signal: new AbortController().signal,
  onEvent: (event) => {
    events.push(event);
    if (event.kind !== 'machine') log.push(event.kind);
  },
  ...more,
});

const stageLog = (from: number, to: number) => [
  'stage',
  'flush all',
  'flushed',
  `weight ${from} -> ${to}`,
  'weight',
  'judged',
];
const BACK = ['weight 40 -> 0', 'flush v2:', 'rolled back', 'told'];

/** The states that were entered, without those of a loop that is gone through again. */
const statesOf = () => [
  ...new Set(
    events.flatMap((each) =>
      each.kind === 'machine' && /^(Task|Wait|Succeed|Fail)StateEntered$/.test(each.event.type)
        ? (each.event.state ?? [])
        : [],
    ),
  ),
];

describe('a rollout', () => {
  test('goes through the states of the definition that is deployed, stage by stage', async () => {
    const reports = await conduct(options({}));
    expect(log).toEqual([...stageLog(0, 5), ...stageLog(5, 40), ...stageLog(40, 100), 'told']);
    expect(reports.map(({ weightPercent, gate }) => [weightPercent, gate])).toEqual([
      [5, 'pass'],
      [40, 'pass'],
      [100, 'pass'],
    ]);
    expect(statesOf()).toEqual([
      ...[STATES.plan, STATES.coverage, STATES.alarms, STATES.compare, STATES.flush, STATES.settle],
      ...[STATES.advance, STATES.watching, STATES.observe, STATES.recovery],
      ...[STATES.tell, STATES.done],
    ]);
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
    const router = routerThat(() => {
      reads(60, 0);
      later(() => reads(400, 400), 150);
    });
    const [stage] = await conduct(options({ router, stages: [{ weightPercent: 100, seconds: 0.5 }] }));
    expect(stage).toMatchObject({ gate: 'pass', hitRate: { before: null, lowest: 0, after: 1 } });
    expect(stage?.recoverySeconds).toBeGreaterThan(0.1);
  });

  test('waits while it is paused, and its stage gets the time back', async () => {
    let control: RolloutControl | undefined;
    const router = routerThat((to) => {
      if (to !== 5) return reads(250, 240);
      control?.pause();
      // Longer than the stage: without its time back it would be over, and judged by nothing.
      later(() => {
        log.push('resumed');
        control?.resume();
        later(() => reads(250, 240));
      }, 900);
    });
    const reports = await conduct(
      options({
        router,
        stages: [{ weightPercent: 5, seconds: 0.8 }],
        onControl: (given) => {
          control = given;
        },
      }),
    );
    expect(reports.map(({ gate }) => gate)).toEqual(['pass']);
    expect(log.indexOf('resumed')).toBeLessThan(log.indexOf('judged'));
  });
});

describe('a stage that fails its gate', () => {
  test.each<[string, () => void, RegExp]>([
    ['for its hit rate', () => reads(250, 150), /^hit rate 0.60 is not above 0.8$/],
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
      expect(log).toEqual([...stageLog(0, 5), ...stageLog(5, 40), ...BACK]);
      expect(router.weightPercent).toBe(0);
      expect(reports.map(({ gate }) => gate)).toEqual(['pass', 'fail']);
      expect(reports[1]?.reasons).toEqual([expect.stringMatching(reason)]);
    },
  );

  test.each([
    ['a stale read', { staleReads: () => 1 }, /the auditor found 1 entries older than their rows/],
    ['a lost connection', { connectionFailures: () => 2 }, /2 connections to Redis failed/],
  ])('by %s goes back at once', async (_what, fault, reason) => {
    const reports = await conduct(options(fault));
    expect(reports).toEqual([
      expect.objectContaining({ gate: 'fail', reasons: [expect.stringMatching(reason)] }),
    ]);
  });

  test('has no new serverless traffic while its entries are flushed', async () => {
    const router = routerThat(() => {});
    let weightAtFlush: number | undefined;
    const base = options({ router });
    const flush = async (only?: string) => {
      if (only === 'v2:') weightAtFlush = router.weightPercent;
      return only === undefined
        ? { scanned: 9, keys: 9, flushed: 1, preserved: 3, seconds: 0 }
        : base.flush(only);
    };
    const [stage, ...more] = await conduct({ ...base, flush });
    expect(stage?.reasons).toEqual(['no request was answered', expect.stringContaining('0 reads')]);
    expect(more).toEqual([]);
    expect(weightAtFlush).toBe(0);
  });
});

describe('before any weight changes, it is stopped by', () => {
  const refused = async (more: Partial<ConductorOptions>, reason: RegExp) => {
    const given = options(more);
    const reports = await conduct(given);
    expect(reports).toEqual([
      expect.objectContaining({ weightPercent: 5, gate: 'fail', reasons: [expect.stringMatching(reason)] }),
    ]);
    expect(log).not.toContainEqual(expect.stringMatching(/^weight \d/));
  };

  test('a legacy instance without the mirror, by name', () =>
    refused(
      {
        coverage: async () => ({
          ...COVERED,
          writers: [{ table: 'mocs', writer: 'old-service', covered: false, uncoveredWrites: 3 }],
        }),
      },
      /old-service changes mocs without an invalidation/,
    ));

  test('a backend that answers one route differently, by its path', () =>
    refused(
      {
        compare: {
          paths: ['/lists/1'],
          legacy: same,
          serverless: async () => ({ status: 200, body: '[1]' }),
          againMs: 0,
        },
      },
      /GET \/lists\/1/,
    ));

  test('a flush that fails', () => refused({ flush: () => Promise.reject(new Error('NOPERM')) }, /^NOPERM$/));

  test('somebody who asks it to stop', () =>
    refused({ onControl: (control) => control.stop('somebody said so') }, /stopped: somebody said so/));
});

test('an abort ends it where it is', async () => {
  const ending = new AbortController();
  const router = routerThat(() => ending.abort());
  await expect(conduct(options({ router, signal: ending.signal }))).rejects.toMatchObject({
    name: 'AbortError',
  });
  expect(log).toEqual(stageLog(0, 5).slice(0, -1));
});

import { beforeEach, describe, expect, test } from '@jest/globals';
import { phaseOf } from '../../lambda/cache/phase.ts';
import { PHASE_SWITCHES, type Phase } from '../../lambda/contract/environment.ts';
import { NEIGHBOURS } from '../../lambda/contract/namespaces.ts';
import { planBackfill } from '../../lambda/stores/backfill/plan.ts';
import {
  conductPhases,
  MAX_FALLBACK_SHARE,
  type PhaseConductorOptions,
  type PhaseEvent,
} from '../../rehearsal/phase-conductor.ts';
import { STEP_COUNT, STEPS_FORWARD, stepsBackFrom } from '../../rehearsal/phase-steps.ts';
import { createRecorder, type Recorder } from '../../rehearsal/recorder.ts';

/** What happens, in order. */
let log: string[];
let events: PhaseEvent[];
let recorder: Recorder;
let phase: Phase;

beforeEach(() => {
  [log, events, phase] = [[], [], 'legacy'];
  recorder = createRecorder();
});

/** Requests that the serverless backend answers whenever somebody looks, as they are in a phase. */
function answering(hitsOf: (phase: Phase) => number = () => 95, more: { status?: number } = {}) {
  const inner = createRecorder();
  const answered = () => {
    for (let index = 0; index < 100; index += 1) {
      const cache = index < hitsOf(phase) ? 'hit' : 'miss';
      inner.record({ backend: 'serverless', status: 200, latencyMs: 2, cache, ...more });
    }
    return inner;
  };
  recorder = {
    ...inner,
    mark: () => answered().mark(),
    trailingRate: (...args) => answered().trailingRate(...args),
    rateSince: (...args) => answered().rateSince(...args),
    hitP95Ms: () => answered().hitP95Ms(),
  };
}

const options = (more: Partial<PhaseConductorOptions> = {}): PhaseConductorOptions => {
  let next: Phase = phase;
  return {
    stepSeconds: 0.02,
    leastSeconds: 0.01,
    recorder,
    probe: { takeP95Ms: () => 1.25, stop: async () => {} },
    async beginShift(to) {
      log.push(`${phase} and ${to}`);
      next = to;
    },
    async endShift() {
      phase = next;
      log.push(`${phase} alone`);
    },
    async carry(to, at) {
      // The plan refuses what would be wrong.
      planBackfill({ to, phase: at, env: 'test' });
      log.push(`carry to ${to}`);
      return { carried: log.filter((line) => line.startsWith('carry')).length === 1 ? 300 : 0, seconds: 0.1 };
    },
    async flush(what) {
      log.push(`flush ${what}`);
      return { scanned: 999, keys: 999, flushed: 10, preserved: 300, seconds: 0.05 };
    },
    async checkState(homes) {
      return { checked: homes === 'both' ? 600 : 300, lost: 0 };
    },
    watchFallbacks: async () => {
      log.push('watch');
      return { take: () => ({ reads: 100, fallbacks: 5 }), stop: async () => void log.push('watch no more') };
    },
    faults: () => ({ staleReads: 0, lostSessions: 0, resurrectedSessions: 0 }),
    signal: new AbortController().signal,
    onEvent: (event) => void events.push(event),
    ...more,
  };
};

const FORWARD = [
  ...['flush all'],
  ...['legacy and dual', 'dual alone', 'watch'],
  ...['carry to prefixed', 'carry to prefixed'],
  ...['watch no more', 'dual and prefixed', 'prefixed alone'],
];
const BACK_FROM_DUAL = [
  ...['carry to legacy', 'carry to legacy', 'watch no more'],
  ...['dual and legacy', 'legacy alone', 'flush new home'],
];
const BACK = ['prefixed and dual', 'dual alone', 'watch', ...BACK_FROM_DUAL];

describe('the steps', () => {
  test('go from a phase to one beside it, there and back', () => {
    const all = [...STEPS_FORWARD, ...stepsBackFrom('prefixed')];
    expect(all).toHaveLength(STEP_COUNT);
    expect(all[0]?.phase).toBe('legacy');
    expect(all.at(-1)?.phase).toBe('legacy');
    let before: Phase = 'legacy';
    for (const step of all) {
      expect([before, ...NEIGHBOURS[before]]).toContain(step.phase);
      before = step.phase;
    }
    expect(new Set(all.map(({ phase: each }) => each))).toEqual(new Set(['legacy', 'dual', 'prefixed']));
  });

  test.each<[Phase, string[]]>([
    ['legacy', []],
    ['dual', ['back to legacy']],
    ['prefixed', ['back to dual', 'back to legacy']],
  ])('back from %s are %j', (from, names) => {
    expect(stepsBackFrom(from).map(({ name }) => name)).toEqual(names);
  });

  test('are those that a process takes its switches for', () => {
    for (const step of STEPS_FORWARD) expect(phaseOf(PHASE_SWITCHES[step.phase])).toBe(step.phase);
  });
});

describe('a migration', () => {
  test('runs both phases at once in each step, carries before a home is taken away, and goes all the way back', async () => {
    answering();
    const reports = await conductPhases(options());
    expect(log).toEqual([...FORWARD, ...BACK]);
    expect(reports.map(({ step, phases, gate }) => [step, ...phases, gate])).toEqual([
      ['legacy', 'legacy', 'legacy', 'pass'],
      ['dual', 'legacy', 'dual', 'pass'],
      ['backfill', 'dual', 'dual', 'pass'],
      ['prefixed', 'dual', 'prefixed', 'pass'],
      ['back to dual', 'prefixed', 'dual', 'pass'],
      ['back to legacy', 'dual', 'legacy', 'pass'],
    ]);
    expect(reports.map(({ together }) => together !== null)).toEqual([false, true, false, true, true, true]);
    for (const { together } of reports) {
      if (together) expect(together.requests).toBeGreaterThan(0);
    }
  });

  test('reports each step with what it saw', async () => {
    answering();
    let asked = 0;
    const faults = () => {
      asked += 1;
      return { staleReads: 100 + asked, lostSessions: 200 + 2 * asked, resurrectedSessions: 300 + 3 * asked };
    };
    const reports = await conductPhases(options({ faults }));
    expect(reports[2]).toEqual({
      step: 'backfill',
      phases: ['dual', 'dual'],
      together: null,
      carried: { to: 'prefixed', keys: 300, again: 0, seconds: 0.1 },
      flush: null,
      requests: expect.any(Number),
      errors5xx: 0,
      staleReads: 1,
      lostSessions: 2,
      resurrectedSessions: 3,
      hitRate: { lowest: expect.any(Number), after: 0.95 },
      legacyFallbacks: { reads: 100, fallbacks: 5 },
      p95Ms: { express: null, serverless: 2 },
      databaseP95Ms: 1.25,
      state: { checked: 600, lost: 0 },
      gate: 'pass',
      reasons: [],
    });
    expect(reports[0]).toMatchObject({
      flush: { deleted: 10, preserved: 300, seconds: 0.05 },
      legacyFallbacks: null,
      state: { checked: 300 },
    });
    expect(reports[3]).toMatchObject({ legacyFallbacks: null, state: { checked: 600 } });
    expect(reports[5]).toMatchObject({ carried: { to: 'legacy', keys: 0 }, state: { checked: 300 } });
  });

  test('tells what it does', async () => {
    answering();
    await conductPhases(options());
    expect(events.map(({ kind }) => kind)).toEqual([
      ...['step', 'cleaned', 'step judged'],
      ...['step', 'together', 'shifted', 'step judged'],
      ...['step', 'carried', 'step judged'],
      ...['step', 'together', 'shifted', 'step judged'],
      ...['step', 'together', 'shifted', 'step judged'],
      ...['step', 'carried', 'together', 'shifted', 'cleaned', 'step judged'],
    ]);
  });
});

describe('a step that fails is the last one forward', () => {
  const outcomes = async (more: Partial<PhaseConductorOptions>) => {
    const reports = await conductPhases(options(more));
    return reports.map(({ step, reasons }) => [step, ...reasons]);
  };

  test('for its hit rate', async () => {
    answering((at) => (at === 'dual' ? 60 : 95));
    expect(await outcomes({})).toEqual([
      ['legacy'],
      ['dual', expect.stringMatching(/^hit rate 0.60 is not above 0.8$/)],
      ['back to legacy'],
    ]);
    expect(log).toEqual([...FORWARD.slice(0, 4), ...BACK_FROM_DUAL]);
  });

  test('for its errors, in the first: there is nothing to go back from', async () => {
    answering(undefined, { status: 500 });
    expect(await outcomes({})).toEqual([['legacy', expect.stringMatching(/^errors 100.00 %/)]]);
    expect(log).toEqual(['flush all']);
  });

  test('for reads that only an un-prefixed key can answer, before these are taken away', async () => {
    answering();
    const watchFallbacks = async () => ({ take: () => ({ reads: 100, fallbacks: 6 }), stop: async () => {} });
    expect(MAX_FALLBACK_SHARE).toBe(0.05);
    expect(await outcomes({ watchFallbacks })).toEqual([
      ['legacy'],
      // Where they begin to be looked for they are no news.
      ['dual'],
      ['backfill', expect.stringMatching(/^6 of 100 reads in dual were answered by an un-prefixed key/)],
      ['back to legacy'],
    ]);
  });

  test('where nobody has looked for them', async () => {
    answering();
    const watchFallbacks = async () => ({ take: () => ({ reads: 0, fallbacks: 0 }), stop: async () => {} });
    expect((await outcomes({ watchFallbacks }))[2]).toEqual([
      'backfill',
      'nobody has looked for reads that only an un-prefixed key can answer',
    ]);
  });

  test('for state that a backfill which carries nothing has left behind', async () => {
    answering();
    const lost = async (homes: 'legacy' | 'both') => (homes === 'both' ? 300 : 0);
    const checkState = async (homes: 'legacy' | 'both') => ({ checked: 600, lost: await lost(homes) });
    expect(await outcomes({ checkState })).toEqual([
      ['legacy'],
      ['dual'],
      ['backfill', '300 of 600 keys of state are not where dual reads'],
      ['back to legacy'],
    ]);
  });

  test('and a way back that fails is gone to its end', async () => {
    answering((at) => (at === 'prefixed' || log.includes('prefixed alone') ? 10 : 95));
    expect((await outcomes({})).map(([step, ...reasons]) => [step, reasons.length])).toEqual([
      ...[
        ['legacy', 0],
        ['dual', 0],
        ['backfill', 0],
        ['prefixed', 1],
      ],
      ...[
        ['back to dual', 1],
        ['back to legacy', 1],
      ],
    ]);
    expect(phase).toBe('legacy');
  });
});

describe('what throws ends it', () => {
  test('a backend that does not start, and nobody looks on any more', async () => {
    answering();
    const failing = options({
      beginShift: async (to) => {
        if (to === 'prefixed') throw new Error('does not start');
        await options().beginShift(to);
      },
    });
    await expect(conductPhases(failing)).rejects.toThrow('does not start');
    expect(log.filter((line) => line.startsWith('watch'))).toEqual(['watch', 'watch no more']);
  });

  test('an abort', async () => {
    answering();
    const ending = new AbortController();
    const failing = options({
      signal: ending.signal,
      flush: async (what) => {
        setTimeout(() => ending.abort(), 1);
        return options().flush(what);
      },
    });
    await expect(conductPhases(failing)).rejects.toMatchObject({ name: 'AbortError' });
    expect(log).toEqual(['flush all']);
  });
});

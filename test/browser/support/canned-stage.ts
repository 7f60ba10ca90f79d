import type { ConsoleSource, Sample } from '../../../rehearsal/console/contract.ts';
import { STARTED_AT } from './canned-run.ts';
import { cannedSource } from './canned-source.ts';

const MINUTE_MS = 60_000;

/** A source in memory that tells of a deployed stage: the rehearsal's seconds as minutes, the legacy backend unmeasured. */
export function cannedStage(): ConsoleSource {
  const rehearsal = cannedSource('running');
  const { at: now, totals, marks, log, ...state } = rehearsal.state();
  const slower = (at: number) => now + (at - now) * 60;
  return {
    state: () => ({
      ...state,
      ...{ kind: 'stage', title: 'stage production', at: now, startedAt: slower(STARTED_AT), endsAt: null },
      machine: { state: 'Observe', since: now - 98_000 },
      totals: { ...totals, writes: null, lostSessions: null },
      marks: marks.map((mark) => ({ ...mark, at: slower(mark.at) })),
      log: log.map((line) => ({ ...line, at: slower(line.at) })),
      actions: [],
    }),
    samples: () => rehearsal.samples().map((sample) => minuteOf(sample, slower(sample.at))),
  };
}

function minuteOf(sample: Sample, at: number): Sample {
  const { legacy, serverless } = sample.backends;
  const unmeasured = { requests: null, errors: 0, hits: 0, misses: 0, p50Ms: null, p95Ms: null };
  return { ...sample, at, spanMs: MINUTE_MS, backends: { serverless, legacy: { ...legacy, ...unmeasured } } };
}

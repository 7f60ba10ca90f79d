import type { Phase } from '../../../lambda/contract/environment.ts';
import { prefixIn } from '../../../lambda/contract/namespaces.ts';
import type { Span, Timeline } from '../../timeline.ts';
import type { Sample } from '../contract.ts';

/** The timeline as the console is told it. */
export interface Samples {
  /** From now on the serverless backend reads and fills as in this phase. */
  shifted(phase: Phase): void;
  all(): readonly Sample[];
}

export interface SamplesOptions {
  readonly timeline: Pick<Timeline, 'spans'>;
  readonly env: string;
  /** In which the serverless backend begins. */
  readonly phase: Phase;
  readonly now?: () => number;
}

const UNPREFIXED = 'K';

export function createSamples({ timeline, env, phase, now = Date.now }: SamplesOptions): Samples {
  const namespaceOf = (each: Phase) => prefixIn(each, { kind: 'cache' }, env) || UNPREFIXED;
  const shifts = [{ at: 0, namespace: namespaceOf(phase) }];
  /** There may be an hour of spans, and those that are over stay as they are. */
  const made = new WeakMap<Span, Sample>();

  const sampleOf = (span: Span): Sample => {
    const { at, spanMs, backends, fallbacks } = span;
    const { namespace = UNPREFIXED } = shifts.findLast((shift) => shift.at < at + spanMs) ?? {};
    const sample: Sample = made.get(span) ?? {
      ...{ at, spanMs, fallbacks },
      backends: {
        // Whatever the phase: its code stays as it is.
        legacy: { ...backends.express, namespace: UNPREFIXED },
        serverless: { ...backends.serverless, namespace },
      },
    };
    made.set(span, sample);
    return sample;
  };

  return {
    shifted: (to) => void shifts.push({ at: now(), namespace: namespaceOf(to) }),
    all: () => timeline.spans().map(sampleOf),
  };
}

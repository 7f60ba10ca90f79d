import type { Figures } from '../../lambda/rollout/watch.ts';
import type { Timeline } from '../timeline.ts';

export interface FigureSources {
  readonly timeline: Timeline;
  /** Since the rehearsal began: one is one too many, whenever it was. */
  readonly staleReads: () => number;
  readonly connectionFailures: () => number;
}

/** The serverless backend's figures, each span of the timeline for a minute; the faults are told with the last one. */
export function rehearsedFigures({ timeline, staleReads, connectionFailures }: FigureSources): Figures {
  return {
    async minutes({ from, to }) {
      const spans = timeline.spans().filter(({ at }) => at >= from && at <= to);
      return spans.map(({ at, backends: { serverless } }, index) => {
        const isLast = index === spans.length - 1;
        const { requests, errors, hits, misses, p95Ms } = serverless;
        return {
          ...{ at, requests, errors, hits, misses },
          staleEntries: isLast ? staleReads() : 0,
          connectionFailures: isLast ? connectionFailures() : 0,
          latencies: p95Ms === null ? [] : [{ p95Ms, samples: hits }],
        };
      });
    },
  };
}

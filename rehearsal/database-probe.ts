import { createHistogram } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { readList } from '../lambda/collections/repository.ts';
import type { Database } from '../lambda/database/pool.ts';
import type { Population } from './population.ts';
import type { Random } from './random.ts';

/** Measures the database from outside, at a steady rate: the backends only ask it when they miss. */
export interface DatabaseProbe {
  /** p95 in milliseconds since the last call; undefined before the first answer. */
  takeP95Ms(): number | undefined;
  stop(): Promise<void>;
}

export interface ProbeOptions {
  readonly database: Database;
  readonly population: Population;
  readonly random: Random;
}

const INTERVAL_MS = 50;

/** Asks for a list, as a miss does, 20 times a second. */
export function probeDatabase({ database, population, random }: ProbeOptions): DatabaseProbe {
  const histogram = createHistogram();
  let stopped = false;
  const run = async () => {
    while (!stopped) {
      const start = performance.now();
      // A failing database shows in the backends' errors; here it only leaves a gap.
      const answered = await readList(database, population.next(random).owner).catch(() => undefined);
      if (answered) histogram.record(Math.max(1, Math.round((performance.now() - start) * 1000)));
      await sleep(INTERVAL_MS);
    }
  };
  const running = run();
  return {
    takeP95Ms() {
      const p95 = histogram.count === 0 ? undefined : Math.round(histogram.percentile(95) / 10) / 100;
      histogram.reset();
      return p95;
    },
    async stop() {
      stopped = true;
      await running;
    },
  };
}

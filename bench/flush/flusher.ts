/** The process of one flush, which ends with it: memory is what this one has had at the most. */
import { flush, requireComplete } from '../../lambda/flush/flush.ts';
import { planFlush } from '../../lambda/flush/plan/plan.ts';
import { serveTasks } from '../protocol.ts';
import { flushPlainly } from './plain.ts';
import type { FlushRun } from './rows.ts';

export interface FlusherTasks {
  flush(): Promise<Pick<FlushRun, 'seconds' | 'memoryMb'>>;
}

const { REDIS_URL: url = '', FLUSHER: flusher = '' } = process.env;

const ours = async (options: { readonly maxLatencyMs?: number }) =>
  requireComplete(
    await flush({ target: { url }, plan: planFlush({ env: 'bench' }), limitSeconds: 600, ...options }),
  );

const FLUSH: Record<string, () => Promise<unknown>> = {
  unpaced: () => ours({ maxLatencyMs: 0 }),
  paced: () => ours({}),
  plain: () => flushPlainly(url),
};

serveTasks<FlusherTasks>({
  async flush() {
    const beganAt = performance.now();
    await FLUSH[flusher]?.();
    return { seconds: (performance.now() - beganAt) / 1000, memoryMb: process.resourceUsage().maxRSS / 1024 };
  },
});

import { type FlushProgress, flush, requireComplete } from '../lambda/flush/flush.ts';
import { planFlush } from '../lambda/flush/plan/plan.ts';
import type { Apart } from './faults.ts';
import type { Ground } from './set-up.ts';

export interface CheckedFlush {
  /** Flushes the cache families; with a namespace, only there. */
  readonly flush: (onlyNamespace?: string) => Promise<FlushProgress>;
  /** The state that has to be there after each flush. */
  readonly preserved: { readonly checked: number; readonly lost: number };
}

export interface CheckedFlushOptions {
  readonly ground: Pick<Ground, 'redisUrls' | 'preserved'>;
  readonly env: string;
  readonly apart: Apart;
}

/** The real flush, which checks after each time that the state is still there. */
export function createCheckedFlush({ ground, env, apart }: CheckedFlushOptions): CheckedFlush {
  const preserved = { checked: 0, lost: 0 };
  const flushAndCheck = async (onlyNamespace?: string) => {
    const plan = planFlush({ env, ...(onlyNamespace && { onlyNamespace }) });
    const report = requireComplete(await flush({ target: { url: ground.redisUrls.flush }, plan }));
    const { checked, lost } = await ground.preserved.check();
    preserved.checked += checked;
    preserved.lost += lost;
    return report;
  };
  return { flush: (onlyNamespace) => apart(() => flushAndCheck(onlyNamespace)), preserved };
}

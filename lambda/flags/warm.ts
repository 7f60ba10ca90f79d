import { setTimeout as sleep } from 'node:timers/promises';
import type { FlagOutcome } from './last-good.ts';
import type { Flags } from './service.ts';

/** How warming ended: `failed` where neither Redis nor PostgreSQL answered. */
export interface WarmReport {
  readonly outcome: FlagOutcome | 'failed';
  /** How many flags there are. */
  readonly count: number;
}

export interface WarmOptions {
  /** Default: 5. */
  readonly attempts?: number;
  /** Between two attempts. Default: 1 s. */
  readonly pauseMs?: number;
}

/**
 * Reads the whole set through the cache, which fills it. A read that went past the cache is tried again: a process that has
 * just started may still be connecting to Redis, or replaying the outbox to it. Never rejects: a cold cache is slower, not
 * wrong.
 */
export async function warmFlags(
  flags: Pick<Flags, 'all'>,
  { attempts = 5, pauseMs = 1000 }: WarmOptions = {},
): Promise<WarmReport> {
  const report = await read(flags);
  if (report.outcome === 'hit' || report.outcome === 'miss' || attempts <= 1) return report;
  await sleep(pauseMs);
  return warmFlags(flags, { attempts: attempts - 1, pauseMs });
}

async function read(flags: Pick<Flags, 'all'>): Promise<WarmReport> {
  try {
    const { value, outcome } = await flags.all();
    return { outcome, count: value.flags.length };
  } catch {
    // Whoever reads has logged it.
    return { outcome: 'failed', count: 0 };
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { OpenContender } from './contenders/contender.ts';
import { ignore } from './contenders/contender.ts';

/** Whether a means of invalidation holds against a fill that comes late. */
export interface LateFillOutcome {
  readonly means: string;
  readonly stale: boolean;
}

interface Contestant {
  readonly open: OpenContender;
  readonly url: string;
}

/** How much longer the load takes than the invalidation: not within the same millisecond, by which some compare. */
const LOAD_LASTS_ON_MS = 20;
/** Some store what they loaded after they answered it. */
const FILL_MS = 100;

/**
 * In the process of a contender, for each of its means: a reader misses and loads the old value; a writer updates
 * and invalidates; the reader's fill lands; and another read follows. Reader and writer have a cache each, as two
 * backends have.
 */
export async function playLateFills({ open, url }: Contestant): Promise<LateFillOutcome[]> {
  let stored = 'old';
  let loading = ignore;
  let landed = Promise.resolve();
  const load = async () => {
    const value = { stored };
    loading();
    await landed;
    return value;
  };
  const [reader, writer] = await Promise.all([open({ url, load }), open({ url, load })]);

  const outcomes: LateFillOutcome[] = [];
  for (const [index, { means, read = reader.read }] of reader.invalidations.entries()) {
    const key = `mocs:200:late-${Date.now()}:${index}`;
    stored = 'old';
    let land = ignore;
    landed = new Promise((resolve) => {
      land = resolve;
    });
    const loadBegan = new Promise<void>((resolve) => {
      loading = resolve;
    });
    const early = read(key);
    await loadBegan;
    stored = 'new';
    await writer.invalidations[index]?.invalidate(key, { stored });
    await sleep(LOAD_LASTS_ON_MS);
    land();
    await early;
    await sleep(FILL_MS);
    const answer = (await read(key)) as { stored: string };
    outcomes.push({ means, stale: answer.stored === 'old' });
  }
  return outcomes;
}

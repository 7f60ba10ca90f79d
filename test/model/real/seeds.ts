import type { DEPARTURES } from './departures.ts';

/** A schedule as fast-check names it. */
export interface Found {
  readonly seed: number;
  readonly path: string;
}

/**
 * A stale schedule of each departure, found by `npm run test:deep`, which prints them. What changes the commands that the
 * product sends, or what is drawn, changes every schedule: then they are found anew.
 */
export const FOUND: Readonly<Record<keyof typeof DEPARTURES, Found>> = {
  'plain get, load, set': { seed: 1, path: '2' },
  'a fill that does not check the lease': { seed: 1, path: '73' },
  'invalidation before the commit': { seed: 1, path: '7' },
  'no mirror': { seed: 1, path: '2' },
  'legacy fills without a fence': { seed: 1, path: '171' },
  'joining by the name of the key': { seed: 1, path: '303' },
  'the order K, C, N': { seed: 1, path: '817' },
  'dual fills of K without a fence': { seed: 1, path: '252' },
  'adopting K without the lease on N': { seed: 1, path: '208' },
  'the order N, C, K in dual': { seed: 1, path: '569' },
  'repeating only the UNLINK that failed': { seed: 1, path: '263' },
  'phase legacy invalidates only its own': { seed: 1, path: '70' },
  'a lost lease taken as held': { seed: 1, path: '70' },
  'a lost lease retried with its token': { seed: 1, path: '307' },
  'a mirror that leaves N after a fill': { seed: 1, path: '4' },
  'a SET that keeps K and the lease': { seed: 1, path: '8' },
  'the epoch fetched after the load': { seed: 1, path: '41' },
  'a bump before the commit': { seed: 1, path: '5' },
  'a join that compares no epochs': { seed: 1, path: '324' },
  'a missing epoch taken as a hit': { seed: 1, path: '41' },
  'a bump that counts, so that a lost epoch begins again': { seed: 1, path: '105' },
  'reading without bypass after a restart': { seed: 1, path: '41' },
  'a mirror that reads without bypass': { seed: 1, path: '46' },
  'a replay after a restart of unconfirmed rows only': { seed: 1, path: '8' },
  'rows deleted upon confirmation': { seed: 1, path: '102' },
  'a row inserted after the commit': { seed: 1, path: '11' },
  'an absent mark taken for a replay': { seed: 1, path: '517' },
  'a mark that is set before the replay': { seed: 1, path: '147' },
  'answering done without a confirmation': { seed: 1, path: '48' },
};

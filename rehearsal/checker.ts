import type { Acknowledgement } from '../lambda/cache/cache.ts';
import type { StaleRead } from './console/contract.ts';
import { type Binding, createPendingBound, type PendingBound } from './pending-bound.ts';

export type Backend = 'express' | 'serverless';

interface Written {
  readonly version: number;
  readonly at: number;
  readonly backend: Backend;
  readonly binding: Binding;
}

/** A read that is under way: what it has to see is what was acknowledged before it began. */
export interface PendingRead {
  readonly key: string;
  readonly begin: number;
  readonly acknowledged: readonly Written[];
}

export interface Staleness {
  readonly staleReads: number;
  /** Old values after a write that said `pending`, within the time that this allows. */
  readonly boundedStaleReads: number;
  /** How long after an acknowledgement an older version was still read. */
  readonly longestStaleSeconds: number;
  /** Reads by the other backend than the one that took the key's last acknowledged write. */
  readonly crossBackendReads: number;
  readonly writes: number;
  readonly staleByBackend: Readonly<Record<Backend, number>>;
}

export interface Checker {
  /** Call it before the request is sent. */
  begin(key: string): PendingRead;
  /** Call it when the answer has arrived. @returns whether it was stale. */
  end(read: PendingRead, answer: { version: number; backend: Backend }): boolean;
  /** Call it when a write's answer has arrived. */
  acknowledged(
    key: string,
    write: { version: number; backend: Backend; acknowledgement: Acknowledgement },
  ): void;
  summary(): Staleness;
  /** The last stale reads, newest first. */
  explained(): readonly StaleRead[];
}

/** How the console and `report.json` name the backends. */
export const NAME_OF = { express: 'legacy', serverless: 'serverless' } as const;

/** So many stale reads are explained: more of them say nothing new. */
const KEPT_STALE_READS = 20;

/**
 * Finds stale reads: a read that began after a write was acknowledged and returns an older version, whichever
 * backend served either. A read that overlaps the write may return old or new.
 * @param now milliseconds; replaced in tests. @param bound that of the same run's other checkers, which know of the same outages.
 */
export function createChecker(
  now: () => number = () => performance.now(),
  bound: Pick<PendingBound, 'of'> = createPendingBound(now),
): Checker {
  /** Newest last. Only grows by appending copies, so that a pending read keeps what it saw. */
  const history = new Map<string, readonly Written[]>();
  const stale = { express: 0, serverless: 0 };
  const explained: StaleRead[] = [];
  let [bounded, longestMs, crossing, writes] = [0, 0, 0, 0];

  return {
    begin: (key) => ({ key, begin: now(), acknowledged: history.get(key) ?? [] }),
    end({ key, begin, acknowledged }, { version, backend }) {
      const last = acknowledged.at(-1);
      if (last && last.backend !== backend) crossing += 1;
      const missed = acknowledged.filter((write) => write.version > version);
      if (missed.length === 0) return false;
      const unseen = missed.findLast(({ binding }) => binding.from <= begin);
      if (!unseen) {
        bounded += 1;
        return false;
      }
      stale[backend] += 1;
      explained.unshift({
        at: Math.round(performance.timeOrigin + now()),
        key,
        readBy: NAME_OF[backend],
        writtenBy: NAME_OF[unseen.backend],
        versionRead: version,
        versionWritten: unseen.version,
        ageMs: Math.round(begin - unseen.at),
      });
      explained.splice(KEPT_STALE_READS);
      longestMs = Math.max(longestMs, now() - Math.min(...missed.map(({ at }) => at)));
      return true;
    },
    acknowledged(key, { version, backend, acknowledgement }) {
      writes += 1;
      const write = { version, backend, at: now(), binding: bound.of(acknowledgement) };
      // In order of acknowledgement, which may differ from that of the versions.
      history.set(key, [...(history.get(key) ?? []).slice(-KEPT_WRITES), write]);
    },
    summary: () => ({
      staleReads: stale.express + stale.serverless,
      boundedStaleReads: bounded,
      longestStaleSeconds: Math.round(longestMs) / 1000,
      crossBackendReads: crossing,
      writes,
      staleByBackend: { ...stale },
    }),
    explained: () => [...explained],
  };
}

/** The newest write decides whether a read is stale; the older ones only for how long. */
const KEPT_WRITES = 200;

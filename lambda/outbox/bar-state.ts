import type { Keyspace } from '../cache/keyspace.ts';
import type { Send } from '../cache/redis-store.ts';
import { replyCodeOf } from '../cache/reply-code.ts';
import { BAR, BARRIER, BARRIER_MS } from '../cache/state-marks.ts';
import { statePlaces } from '../cache/state-places.ts';

/** Has the database decide about a key of state, in all of its places. @returns whether that was confirmed. */
export type BarState = (key: string) => Promise<boolean>;

export interface BarStateOptions {
  readonly keyspace: Pick<Keyspace, 'tryLocate' | 'locate' | 'phase' | 'env'>;
  readonly send: Send;
  readonly onError?: (error: unknown, family: string) => void;
}

/** What the dispatcher and a replay do about a write whose entries of state may be outdated. */
export function barState({ keyspace, send, onError = () => {} }: BarStateOptions): BarState {
  return async (key) => {
    // A name that no key of state can have, as somebody's INSERT makes it, has nothing to bar.
    if (keyspace.tryLocate(key)?.family.kind !== 'state') return true;
    const { family, everywhere } = statePlaces(keyspace, key);
    const outcomes = await Promise.all(
      everywhere.map(async (place) => {
        try {
          await send(['EVAL', BAR, '1', place, BARRIER, String(BARRIER_MS)]);
          return true;
        } catch (error) {
          if (isForbiddenPlace(error)) return true;
          onError(error, family);
          return false;
        }
      }),
    );
    return outcomes.every(Boolean);
  };
}

/** A place that this user may not touch is one where no process of this phase reads, either: they are the same user. */
const isForbiddenPlace = (error: unknown): boolean =>
  replyCodeOf(error) === 'NOPERM' && /\bkeys?\b/.test((error as Error).message);

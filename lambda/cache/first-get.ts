import type { ReadOptions } from './api.ts';
import type { Codec } from './codec.ts';
import { isPlain } from './entry.ts';
import type { Loader } from './flight.ts';
import type { Places } from './keyspace.ts';
import type { LeaseToken } from './lease.ts';
import type { Lifetimes } from './lifetimes.ts';
import type { Got } from './look.ts';
import type { Counts } from './metrics.ts';
import type { Outcome } from './read-through.ts';
import type { Reader } from './store.ts';

/** What a caller wants of a key. */
export interface Request<T, A> {
  readonly load: Loader<T>;
  readonly options: ReadOptions<T>;
  /** Makes what the caller gets: the value, or with it where it came from. */
  readonly answer: (value: T, outcome: Outcome) => A;
}

/** A read whose key and options are as they have to be. */
export interface Asked<T, A> {
  readonly places: Places;
  readonly request: Request<T, A>;
  readonly lifetimes: Lifetimes;
  /** The loads that the caller is a part of. */
  readonly callers: readonly LeaseToken[];
}

/** What a read was told, and since when it runs on the clock of `performance.now()`. */
export interface Begun {
  /** Undefined where nothing was asked yet. */
  readonly got: Got | undefined;
  readonly beganAt: number;
}

/** What goes on with a read that its first GET has not answered. */
export interface Continuation {
  readonly codec: Codec;
  readonly counts: Counts;
  goOn<T, A>(asked: Asked<T, A>, begun: Begun): Promise<A>;
  fallBack<T, A>(asked: Asked<T, A>, error: unknown): Promise<A>;
}

/** The GET that a read begins with: answers a plain hit, and leaves the rest to others. One object a read, where functions were four. */
export class FirstGet<T, A> implements Reader<A> {
  readonly #asked: Asked<T, A>;
  readonly #next: Continuation;

  constructor(asked: Asked<T, A>, next: Continuation) {
    this.#asked = asked;
    this.#next = next;
  }

  found(bytes: string | null, askedAt: number): A | Promise<A> {
    const { options, answer } = this.#asked.request;
    if (bytes !== null && !options.validate && isPlain(bytes)) {
      try {
        const value = this.#next.codec.decode(bytes) as T;
        this.#next.counts.hits += 1;
        return answer(value, 'hit');
      } catch {
        // What does not decode is said, and replaced, by what follows.
      }
    }
    return this.#next.goOn(this.#asked, { got: { bytes, epochs: undefined }, beganAt: askedAt });
  }

  failed(error: unknown): Promise<A> {
    return this.#next.fallBack(this.#asked, error);
  }
}

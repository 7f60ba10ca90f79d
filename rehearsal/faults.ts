import { setTimeout as sleep } from 'node:timers/promises';
import type { BreakableRedis } from './faults/breakable-redis.ts';

/** What may be done to a Redis of our own while users are there. */
export const FAULTS = ['kill-redis', 'freeze-redis', 'slow-redis'] as const;
export type FaultName = (typeof FAULTS)[number];

export interface Fault {
  readonly name: FaultName;
  /** When it is over, in milliseconds since 1970. */
  readonly endsAt: number;
}

export interface FaultEvent {
  readonly kind: 'fault' | 'fault over';
  readonly name: FaultName;
}

/** Does what is lost without Redis and has no second attempt: while no fault is in, and none begins meanwhile. Not inside itself. */
export type Apart = <T>(work: () => Promise<T>) => Promise<T>;

/** Breaks Redis for some seconds, and mends it. */
export interface Faults {
  /** The one that is in, or is about to be. */
  readonly current: Fault | undefined;
  /** Resolves when it has begun. @throws an error while another one is in. */
  inject(name: FaultName): Promise<void>;
  readonly apart: Apart;
  /** Resolves when no fault is in. @throws why Redis is not there again. */
  over(): Promise<void>;
  /** Ends the fault that is in; a Redis that was killed stays so. */
  close(): void;
}

export interface FaultsOptions {
  readonly redis: Pick<BreakableRedis, 'kill' | 'restart' | 'freeze' | 'thaw'>;
  readonly onEvent: (event: FaultEvent) => void;
  /** How long each lasts. */
  readonly seconds?: Readonly<Record<FaultName, number>>;
}

const SECONDS: Readonly<Record<FaultName, number>> = { 'kill-redis': 3, 'freeze-redis': 3, 'slow-redis': 5 };
/** Of each 50 ms it works for 10: no proxy, which would cost something while nothing is wrong. */
const SLOW = { stoppedMs: 40, runningMs: 10 };

type Wait = (ms: number) => Promise<void>;

const BREAK: Readonly<
  Record<FaultName, (redis: FaultsOptions['redis'], ms: number, wait: Wait) => Promise<void>>
> = {
  async 'kill-redis'(redis, ms, wait) {
    await redis.kill();
    await wait(ms);
    await redis.restart();
  },
  async 'freeze-redis'(redis, ms, wait) {
    redis.freeze();
    await wait(ms);
  },
  async 'slow-redis'(redis, ms, wait) {
    for (const end = performance.now() + ms; performance.now() < end; ) {
      redis.freeze();
      await wait(SLOW.stoppedMs);
      redis.thaw();
      await wait(SLOW.runningMs);
    }
  },
};

export function createFaults({ redis, onEvent, seconds = SECONDS }: FaultsOptions): Faults {
  const closed = new AbortController();
  const works = new Set<Promise<unknown>>();
  let current: Fault | undefined;
  let ending: Promise<void> = Promise.resolve();

  const run = async (name: FaultName, begun: Promise<unknown>) => {
    await begun;
    current = { name, endsAt: Date.now() + seconds[name] * 1000 };
    onEvent({ kind: 'fault', name });
    const wait: Wait = (ms) => sleep(ms, undefined, { signal: closed.signal });
    try {
      await BREAK[name](redis, seconds[name] * 1000, wait);
    } finally {
      redis.thaw();
      current = undefined;
    }
    onEvent({ kind: 'fault over', name });
  };

  return {
    get current() {
      return current;
    },
    async inject(name) {
      if (current)
        throw new Error(`faults: ${name} is refused while ${current.name} is in; wait until it is over`);
      current = { name, endsAt: Date.now() + seconds[name] * 1000 };
      const begun = Promise.allSettled(works);
      ending = run(name, begun);
      // Told by over(), and by the end of its server.
      ending.catch(() => {});
      await begun;
    },
    async apart(work) {
      while (current) await ending;
      const working = work();
      works.add(working);
      try {
        return await working;
      } finally {
        works.delete(working);
      }
    },
    over: () => ending,
    close: () => closed.abort(),
  };
}

/** A door to a Redis that turns its first callers away. */
import { connect } from 'node:net';
import { openDoor } from './door.ts';

export interface FlakyRedis {
  readonly url: string;
  /** How many connections were asked for. */
  readonly attempts: number;
  /** From now on nothing passes on the connections that are open, and nobody is told: as if the peer had vanished. */
  vanish(): void;
}

export interface FlakyOptions {
  /** What it does with the first callers, in turn: hangs up, or says nothing at all. */
  readonly first: readonly ('hangs up' | 'is silent')[];
  /** Where it sends the later ones; without one it hangs up on all of them. */
  readonly to?: { readonly port: number };
}

export async function flakyRedis({ first, to }: FlakyOptions): Promise<FlakyRedis> {
  let attempts = 0;
  const open: (() => void)[] = [];
  const url = await openDoor((caller, keep) => {
    const answer = first[attempts];
    attempts += 1;
    if (answer === 'is silent') return;
    if (answer === 'hangs up' || !to) return void caller.destroy();
    const redis = keep(connect(to.port, '127.0.0.1'));
    caller.pipe(redis).pipe(caller);
    open.push(() => {
      caller.unpipe(redis);
      redis.unpipe(caller);
      caller.resume();
      redis.resume();
    });
    for (const [one, other] of [[caller, redis] as const, [redis, caller] as const]) {
      one.once('close', () => other.destroy());
    }
  });
  return {
    url,
    get attempts() {
      return attempts;
    },
    vanish() {
      for (const cut of open.splice(0)) cut();
    },
  };
}

/** A door to a Redis whose answers are late. */
import { connect } from 'node:net';
import { openDoor } from './door.ts';

export interface SlowOptions {
  readonly to: { readonly port: number };
  /** How late each piece of an answer is; nothing overtakes. */
  readonly delayMs: number;
}

/** @returns its URL. */
export function slowRedis({ to, delayMs }: SlowOptions): Promise<string> {
  return openDoor((caller, keep) => {
    const redis = keep(connect(to.port, '127.0.0.1'));
    caller.pipe(redis);
    redis.on(
      'data',
      (chunk) => void setTimeout(() => caller.destroyed || caller.write(chunk), delayMs).unref(),
    );
    for (const [one, other] of [[caller, redis] as const, [redis, caller] as const]) {
      one.once('close', () => other.destroy());
    }
  });
}

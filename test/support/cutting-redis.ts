/** A door to a Redis that is shut in the middle of a conversation. */
import { connect } from 'node:net';
import { openDoor } from './door.ts';

export interface CuttingOptions {
  readonly to: { readonly port: number };
  /** After how many bytes from the server each connection is cut, in turn; later ones are not. */
  readonly afterBytes: readonly number[];
  /** Called when one is cut, before the caller can come back. */
  readonly onCut?: () => Promise<void>;
}

export interface CuttingRedis {
  readonly url: string;
  /** How many connections were cut. */
  readonly cuts: number;
}

export async function cuttingRedis({ to, afterBytes, onCut }: CuttingOptions): Promise<CuttingRedis> {
  const left = [...afterBytes];
  let cuts = 0;
  let open = Promise.resolve();
  const url = await openDoor((caller, keep) => {
    caller.pause();
    const limit = left.shift() ?? Number.POSITIVE_INFINITY;
    void open.then(() => {
      const redis = keep(connect(to.port, '127.0.0.1'));
      let passed = 0;
      redis.on('close', () => caller.destroy());
      caller.on('close', () => redis.destroy());
      caller.pipe(redis);
      redis.on('data', (chunk) => {
        if (caller.destroyed) return;
        caller.write(chunk.subarray(0, limit - passed));
        passed += chunk.length;
        if (passed < limit) return;
        cuts += 1;
        open = onCut?.() ?? open;
        caller.destroySoon();
      });
    });
  });
  return {
    url,
    get cuts() {
      return cuts;
    },
  };
}

/** A door to a Redis that is shut in the middle of a conversation. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll } from '@jest/globals';

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

const opened: { server: Server; sockets: Set<Socket> }[] = [];

afterAll(() => {
  for (const { server, sockets } of opened) {
    server.close();
    for (const socket of sockets) socket.destroy();
  }
});

export async function cuttingRedis({ to, afterBytes, onCut }: CuttingOptions): Promise<CuttingRedis> {
  const sockets = new Set<Socket>();
  const left = [...afterBytes];
  let cuts = 0;
  let open = Promise.resolve();
  const server = createServer((caller) => {
    sockets.add(caller);
    caller.on('error', () => {});
    caller.pause();
    const limit = left.shift() ?? Number.POSITIVE_INFINITY;
    void open.then(() => {
      const redis = connect(to.port, '127.0.0.1');
      sockets.add(redis);
      let passed = 0;
      redis.on('error', () => {});
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
  opened.push({ server, sockets });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : '';
  return {
    url: `redis://127.0.0.1:${port}`,
    get cuts() {
      return cuts;
    },
  };
}

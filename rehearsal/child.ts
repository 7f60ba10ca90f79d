import type { Server } from 'node:http';

/** What a backend's process tells the one that started it. */
export type ChildMessage = { readonly port: number } | { readonly error: string };

/**
 * Listens on a free loopback port, tells the parent which, and ends with it.
 * @throws when the port cannot be opened.
 */
export function serveParent(server: Server): void {
  process.once('disconnect', () => process.exit(0));
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('child: no port');
    tell({ port: address.port });
  });
}

/** Runs a backend's start; an error becomes a message to the parent and exit code 1. */
export async function runChild(start: () => Promise<void>): Promise<void> {
  try {
    await start();
  } catch (error) {
    tell({ error: error instanceof Error ? error.message : String(error) });
    process.exitCode = 1;
    process.disconnect?.();
  }
}

function tell(message: ChildMessage): void {
  process.send?.(message);
}

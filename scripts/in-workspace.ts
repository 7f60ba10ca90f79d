import { setTimeout as sleep } from 'node:timers/promises';
import { openWorkspace, type Workspace } from '../rehearsal/servers/workspace.ts';

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
/** How long the work may take to put things back after Ctrl-C. */
const PATIENCE_MS = 3000;

/**
 * Runs `work` with a workspace that is gone afterwards. Ctrl-C aborts the signal that the work is given, waits for
 * it, cleans up and exits; a second Ctrl-C, or a crash, leaves the clean-up to the workspace's reaper.
 */
export async function inWorkspace<T>(
  work: (workspace: Workspace, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const workspace = await openWorkspace();
  const controller = new AbortController();
  let working: Promise<unknown> = Promise.resolve();

  const interrupt = async (name: NodeJS.Signals) => {
    const exitCode = SIGNALS[name as keyof typeof SIGNALS];
    if (controller.signal.aborted) process.exit(exitCode);
    console.error(`\ncutover: ${name}, cleaning up`);
    controller.abort();
    await Promise.race([working, sleep(PATIENCE_MS)]).catch(() => {});
    await workspace.close().catch((error: Error) => console.error(error.message));
    process.exit(exitCode);
  };
  for (const name of Object.keys(SIGNALS)) process.on(name, interrupt);

  try {
    const result = work(workspace, controller.signal);
    working = result;
    return await result;
  } catch (error) {
    // What an interrupted work says is no news; `interrupt` exits.
    if (controller.signal.aborted) await new Promise(() => {});
    throw error;
  } finally {
    await workspace.close();
    for (const name of Object.keys(SIGNALS)) process.off(name, interrupt);
  }
}

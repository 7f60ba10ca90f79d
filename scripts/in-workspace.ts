import { openWorkspace, type Workspace } from '../rehearsal/servers/workspace.ts';

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/**
 * Runs `work` with a workspace that is gone afterwards, also after Ctrl-C. A process that dies without getting
 * here leaves the clean-up to the workspace's reaper.
 */
export async function inWorkspace<T>(work: (workspace: Workspace) => Promise<T>): Promise<T> {
  const workspace = await openWorkspace();
  const interrupt = (signal: keyof typeof SIGNALS) => {
    console.error(`\ncutover: ${signal}, cleaning up`);
    void workspace.close().finally(() => process.exit(SIGNALS[signal]));
  };
  for (const signal of Object.keys(SIGNALS) as (keyof typeof SIGNALS)[]) process.once(signal, interrupt);
  try {
    return await work(workspace);
  } finally {
    await workspace.close();
    for (const signal of Object.keys(SIGNALS)) process.off(signal, interrupt);
  }
}

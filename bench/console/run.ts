import { startConsole } from '../../rehearsal/console/server.ts';
import { rehearse } from '../../rehearsal/rehearse.ts';
import type { Workspace } from '../../rehearsal/servers/workspace.ts';
import { startProcess } from '../processes.ts';
import type { Watching } from './rows.ts';

export interface ConsoleGround {
  readonly workspace: Workspace;
  readonly databaseUrl: string;
  /** The viewer's bundle. */
  readonly file: string;
  /** How long traffic runs. */
  readonly seconds: number;
}

export interface ConsoleRun {
  /** Of the rehearsal's own process, since there are users. */
  readonly cpuUsPerRequest: number;
  readonly requests: number;
}

/** One rehearsal in this process. */
export async function runRehearsal(ground: ConsoleGround, watching: Watching): Promise<ConsoleRun> {
  const { workspace, databaseUrl, file, seconds } = ground;
  let before = process.cpuUsage();
  const { totals } = await rehearse(
    { seconds, stages: [50], users: 100, seed: 7, mode: 'coherent' },
    {
      ...{ workspace, signal: new AbortController().signal, live: false, out: { write: () => {} } },
      environment: { DATABASE_URL: databaseUrl },
      async onSource(source) {
        const served = watching === 'nobody' ? undefined : await startConsole({ source });
        if (served) {
          await startProcess(workspace, { name: 'viewer', args: [file, served.url], environment: {} });
        }
        before = process.cpuUsage();
        return served;
      },
    },
  );
  const { user, system } = process.cpuUsage(before);
  return { cpuUsPerRequest: (user + system) / totals.requests, requests: totals.requests };
}

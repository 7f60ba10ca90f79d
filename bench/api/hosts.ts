import type { ChildMessage } from '../../rehearsal/child.ts';
import type { Workspace } from '../../rehearsal/servers/workspace.ts';
import { endProcess, startProcess } from '../processes.ts';
import type { Servers } from '../servers.ts';
import type { Bundles } from './bundles.ts';
import { environmentOf } from './flags.ts';
import type { ContenderName } from './rows.ts';

/** A bundle that answers HTTP, in a process of its own. */
export interface Host {
  readonly name: ContenderName;
  readonly url: string;
  /** What `x-cache` says of its answers once all flags were read; null for no such header. */
  readonly outcome: string | null;
  end(): Promise<void>;
}

interface HostOptions extends Servers {
  /** The local host, to run. */
  readonly file: string;
  readonly bundles: Pick<Bundles, 'api' | 'bare'>;
}

/** Starts each contender behind the local host. */
export async function startHosts(
  workspace: Workspace,
  { file, bundles, ...servers }: HostOptions,
): Promise<Host[]> {
  const environment = environmentOf(servers);
  const start = async (
    name: ContenderName,
    { folder, outcome, more = {} }: { folder: string; outcome: string | null; more?: Record<string, string> },
  ): Promise<Host> => {
    const { child, message } = await startProcess<ChildMessage>(workspace, {
      name,
      args: [file, folder],
      environment: { ...environment, ...more },
    });
    if ('error' in message) throw new Error(`bench: ${name} did not start: ${message.error}`);
    return { name, url: `http://127.0.0.1:${message.port}`, outcome, end: () => endProcess(child) };
  };
  return [
    await start('cached', { folder: bundles.api, outcome: 'hit' }),
    await start('uncached', { folder: bundles.api, outcome: 'bypass', more: { CACHE_MODE: 'off' } }),
    await start('bare', { folder: bundles.bare, outcome: null }),
  ];
}

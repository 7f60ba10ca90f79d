import { once } from 'node:events';
import type { RedisConnection } from '../../lambda/redis/connection.ts';
import type { Workspace } from '../../rehearsal/servers/workspace.ts';
import { DUE } from './keys.ts';

/** The client that came with the server, whatever else is on the PATH. @throws when the server does not tell where it is. */
export async function clientBeside({ send }: RedisConnection): Promise<string> {
  const server = /^executable:(.+)-server\r?$/m.exec(String(await send(['INFO', 'server'])))?.[1];
  if (server === undefined) throw new Error('bench: INFO does not tell which redis-server it is');
  return `${server}-cli`;
}

/** The one-liner: `redis-cli --scan | xargs redis-cli unlink`, for each pattern. @param client as `clientBeside` finds it. */
export async function flushByShell(workspace: Workspace, url: string, client: string): Promise<void> {
  const lines = DUE.map(
    (family) => `"$1" -p "$2" --scan --pattern '${family}:*' | xargs "$1" -p "$2" unlink`,
  );
  const args = ['-ec', lines.join('\n'), 'sh', client, new URL(url).port];
  const child = workspace.spawn('sh', args, { stdio: ['ignore', 'ignore', 'ignore'] });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`bench: the shell's one-liner ended with exit code ${code}`);
}

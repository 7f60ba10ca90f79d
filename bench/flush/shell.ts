import { once } from 'node:events';
import type { Workspace } from '../../rehearsal/servers/workspace.ts';
import { DUE } from './keys.ts';

/** The one-liner: `redis-cli --scan | xargs redis-cli unlink`, for each pattern. */
export async function flushByShell(workspace: Workspace, url: string): Promise<void> {
  const cli = `redis-cli -p ${new URL(url).port}`;
  const lines = DUE.map((family) => `${cli} --scan --pattern '${family}:*' | xargs ${cli} unlink`);
  const child = workspace.spawn('sh', ['-ec', lines.join('\n')], { stdio: ['ignore', 'ignore', 'ignore'] });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`bench: the shell's one-liner ended with exit code ${code}`);
}

import { symlink } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import type { Workspace } from '../rehearsal/servers/workspace.ts';

const ROOT = path.resolve(import.meta.dirname, '..');

/**
 * Bundles the contenders' process as the deployed functions are bundled, packages left as they are: tsx would name
 * each closure when it is made, which costs a miss some 10 µs that nobody pays in production.
 * @returns the file to run.
 */
export async function bundleWorker(workspace: Workspace): Promise<string> {
  const outfile = path.join(workspace.folder, 'worker.mjs');
  await build({
    entryPoints: [path.join(import.meta.dirname, 'worker.ts')],
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
  });
  // Where the bundle looks for its packages.
  await symlink(path.join(ROOT, 'node_modules'), path.join(workspace.folder, 'node_modules'));
  return outfile;
}

import { symlink } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import type { Workspace } from '../rehearsal/servers/workspace.ts';

const ROOT = path.resolve(import.meta.dirname, '..');

/**
 * Bundles the bench's processes as the deployed functions are bundled, packages left as they are: tsx would name
 * each closure when it is made, which costs a miss some 10 µs that nobody pays in production. Once a workspace.
 * @param entryPoints by name, relative to the repository.
 * @returns the file to run, by name.
 */
export async function bundleProcesses<Name extends string>(
  workspace: Workspace,
  entryPoints: Readonly<Record<Name, string>>,
): Promise<Record<Name, string>> {
  await build({
    absWorkingDir: ROOT,
    entryPoints,
    outdir: workspace.folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
  });
  // Where the bundles look for their packages.
  await symlink(path.join(ROOT, 'node_modules'), path.join(workspace.folder, 'node_modules'));
  const files = Object.keys(entryPoints).map((name) => [name, path.join(workspace.folder, `${name}.mjs`)]);
  return Object.fromEntries(files) as Record<Name, string>;
}

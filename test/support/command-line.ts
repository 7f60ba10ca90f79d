/** The command line as one bundle, made once a run: a command starts in a third of the time that loading its sources takes. */
import path from 'node:path';
import { build } from 'esbuild';

const ROOT = path.resolve(import.meta.dirname, '../..');
/** Below the root, so that the packages are found. */
const FOLDER = path.join(ROOT, 'dist', 'command-line');
const SOURCES = ['--import', 'tsx', 'scripts/cutover.ts'];
/** They look for files beside their own. */
const FROM_SOURCES = new Set(['rehearse', 'serve']);

export async function bundleCommandLine(): Promise<void> {
  await build({
    absWorkingDir: ROOT,
    entryPoints: ['scripts/cutover.ts'],
    outdir: FOLDER,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'silent',
  });
}

/** What Node is told for `cutover ...args`, from the root of the repository. */
export const commandLine = (args: readonly string[]): string[] => [
  ...(FROM_SOURCES.has(args[0] ?? '') ? SOURCES : [path.join(FOLDER, 'cutover.mjs')]),
  ...args,
];

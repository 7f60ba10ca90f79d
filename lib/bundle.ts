import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type BuildOptions, buildSync } from 'esbuild';
import type { FunctionName } from '../lambda/contract/environment.ts';

const ROOT = path.resolve(import.meta.dirname, '..');

/** The only bundling options there are: what is rehearsed is what is deployed, byte for byte. */
const OPTIONS: BuildOptions = {
  absWorkingDir: ROOT,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  minify: true,
  sourcemap: 'linked',
  sourcesContent: false,
  mainFields: ['module', 'main'],
  conditions: ['module'],
  // CommonJS dependencies (pg) call `require` at run time, which an ES module does not have.
  banner: { js: "import{createRequire as __r}from'node:module';const require=__r(import.meta.url);" },
  // An optional native part of pg that nobody installs here.
  external: ['pg-native'],
  logLevel: 'silent',
  write: false,
};

/** Bundles `lambda/functions/{name}.ts`; see `bundle`. */
export function bundleFunction(name: FunctionName): string {
  return bundle(path.join('lambda', 'functions', `${name}.ts`), path.join('functions', name));
}

/**
 * Bundles a source file of the repository to `dist/{name}/index.mjs`, with its source map.
 * @returns the folder of the bundle, to deploy or to run.
 * @throws esbuild's error, which names file and line, when the sources do not build.
 */
export function bundle(entryPoint: string, name: string): string {
  const folder = path.join(ROOT, 'dist', name);
  mkdirSync(folder, { recursive: true });
  const outfile = path.join(folder, 'index.mjs');
  const { outputFiles = [] } = buildSync({ ...OPTIONS, entryPoints: [entryPoint], outfile });
  for (const [index, file] of outputFiles.entries()) {
    // Whole or not at all: another command may be starting from the same bundle. Beside the folder and not in
    // it, since all of it is deployed.
    const partial = path.join(ROOT, 'dist', `.partial-${process.pid}-${index}`);
    writeFileSync(partial, file.contents);
    renameSync(partial, file.path);
  }
  return folder;
}

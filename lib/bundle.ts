import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type BuildOptions, buildSync, type Metafile } from 'esbuild';
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

const entryPointOf = (name: FunctionName): string => path.join('lambda', 'functions', `${name}.ts`);

/** Bundles `lambda/functions/{name}.ts`; see `bundle`. */
export function bundleFunction(name: FunctionName): string {
  return bundle(entryPointOf(name), path.join('functions', name));
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

/** What is in a bundle. */
export interface Inspection {
  /** Of the code that is deployed, without its source map. */
  readonly bytes: number;
  /** esbuild's account: which files went in, and how many bytes of each came out. */
  readonly metafile: Metafile;
}

/**
 * Bundles a function, or a source text of the repository's root, in the same way, and writes nothing.
 * @throws esbuild's error, which names file and line, when the sources do not build.
 */
export function inspectBundle(source: FunctionName | { readonly text: string }): Inspection {
  const entry =
    typeof source === 'string'
      ? { entryPoints: [entryPointOf(source)] }
      : { stdin: { contents: source.text, resolveDir: ROOT, loader: 'ts' as const } };
  const outfile = path.join(ROOT, 'dist', 'inspected', 'index.mjs');
  const { outputFiles, metafile } = buildSync({
    ...OPTIONS,
    ...entry,
    outfile,
    write: false,
    metafile: true,
  });
  const code = outputFiles.find((file) => file.path === outfile);
  if (!code) throw new Error(`bundle: esbuild made no ${outfile}`);
  return { bytes: code.contents.length, metafile };
}

import { execFile } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

const ROOT = path.resolve(import.meta.dirname, '..');
/** Where package.json's `exports` point. */
const FOLDER = 'dist/package';
/** What a module imports, in quotes of either kind (tsc's import types have double ones); not what a docstring does. */
const IMPORTED = /(?<=^(?! *\*).*\b(?:from|import)\s*\(?\s*)(['"])([^'"\n]+)\1/gm;

interface Manifest {
  readonly exports: object;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/**
 * Builds what other services import (`cutover/cache`, `cutover/mirror`, `cutover/families`, `cutover/outbox`), as ES modules and
 * declarations, and packs it as npm would publish it. Its manifest is derived from this repository's: of the
 * dependencies it has those that its modules import, so that nobody installs a CDK for a cache.
 * @param folder where to build; it is emptied first.
 * @returns the tarball, beside the folder.
 * @throws with the output of tsc or npm when it does not build, or when a module imports what is no dependency.
 */
export async function buildPackage(folder = path.join(ROOT, FOLDER)): Promise<string> {
  rmSync(folder, { recursive: true, force: true });
  await run(path.join(ROOT, 'node_modules/.bin/tsc'), [
    '--project',
    'tsconfig.package.json',
    '--outDir',
    folder,
  ]);
  const modules = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.[jt]s$/.test(name))
    .map((name) => path.join(folder, name));
  // tsc rewrites extensions in JavaScript only, and before 5.0 it does not resolve a `.ts` from a declaration.
  for (const file of modules.filter((name) => name.endsWith('.d.ts'))) {
    writeFileSync(
      file,
      readFileSync(file, 'utf8').replace(IMPORTED, (specifier) =>
        specifier.replace(/^(.\.{1,2}\/.*)\.ts(.)$/, '$1.js$2'),
      ),
    );
  }
  const manifest: Manifest = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
  writeFileSync(
    path.join(folder, 'package.json'),
    JSON.stringify(manifestOf(manifest, modules.flatMap(packagesIn)), null, 2),
  );
  copyFileSync(path.join(ROOT, 'LICENSE'), path.join(folder, 'LICENSE'));
  return pack(folder);
}

/** The manifest that an importer sees. */
function manifestOf(manifest: Manifest, imported: readonly string[]) {
  const { name, version, description, license, private: isPrivate, type, engines } = manifest;
  const dependencies = [...new Set(imported)].sort().map((dependency) => {
    const range = manifest.dependencies[dependency];
    if (range) return [dependency, `^${range}`];
    throw new Error(`package: ${dependency} is imported, but is none of package.json's dependencies; add it`);
  });
  return {
    ...{ name, version, description, license, private: isPrivate, type, engines },
    exports: JSON.parse(JSON.stringify(manifest.exports).replaceAll(`./${FOLDER}/`, './')),
    dependencies: Object.fromEntries(dependencies),
  };
}

/** The packages that a module imports: `@redis/client` of `@redis/client/dist/x.js`. */
function packagesIn(file: string): string[] {
  const specifiers = [...readFileSync(file, 'utf8').matchAll(IMPORTED)].map(
    ([, , specifier = '']) => specifier,
  );
  return specifiers
    .filter((specifier) => !/^(\.|node:)/.test(specifier))
    .map((specifier) => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/'));
}

async function pack(folder: string): Promise<string> {
  const destination = path.dirname(folder);
  const output = await run('npm', ['pack', folder, '--json', '--offline', '--pack-destination', destination]);
  const [{ filename }] = JSON.parse(output) as [{ filename: string }];
  const tarball = `${folder}.tgz`;
  renameSync(path.join(destination, filename), tarball);
  return tarball;
}

async function run(command: string, args: readonly string[]): Promise<string> {
  try {
    return (await promisify(execFile)(command, args, { cwd: ROOT })).stdout;
  } catch (cause) {
    const { stdout = '', stderr = '' } = cause as { stdout?: string; stderr?: string };
    throw new Error(`package: ${path.basename(command)} failed\n${stdout}${stderr}`, { cause });
  }
}

/** A project of another team, as far from this repository as a test can be: it has the packed package and little else. */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { buildPackage } from '../../lib/package.ts';
import { ownWorkspace } from './servers.ts';

const MODULES = path.resolve(import.meta.dirname, '../../node_modules');
/** What such a project has besides: a legacy client, a database, and their types. */
const OWN = ['redis', 'pg', '@types/node', '@types/pg'];
const RUN_TIMEOUT_MS = 20_000;

const run = promisify(execFile);

export interface Importer {
  /**
   * Type-checks the sources strictly, declarations of the package included, and compiles them.
   * @returns what tsc complains about, `''` if nothing.
   */
  compile(sources: Readonly<Record<string, string>>): Promise<string>;
  /** Runs a compiled source to its end. @returns what it printed. @throws when it fails or does not end. */
  run(name: string, environment?: Readonly<Record<string, string>>): Promise<string>;
}

/** Packs the package, and installs it without a registry: its dependencies, and no others, are linked. */
export async function importer(): Promise<Importer> {
  const folder = path.join((await ownWorkspace()).folder, 'importer');
  const installed = path.join(folder, 'node_modules/cutover');
  mkdirSync(installed, { recursive: true });
  const tarball = await buildPackage(path.join(folder, 'build/package'));
  await run('tar', ['-xzf', tarball, '--strip-components=1', '-C', installed]);
  const { dependencies } = JSON.parse(readFileSync(path.join(installed, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  for (const name of new Set([...Object.keys(dependencies), ...OWN])) {
    const link = path.join(folder, 'node_modules', name);
    mkdirSync(path.dirname(link), { recursive: true });
    symlinkSync(path.join(MODULES, name), link);
  }
  const write = (name: string, content: object | string) =>
    writeFileSync(
      path.join(folder, name),
      typeof content === 'string' ? content : JSON.stringify(content, null, 2),
    );
  write('package.json', { name: 'importer', type: 'module' });

  return {
    async compile(sources) {
      const files = Object.entries(sources).map(([name, source]) => {
        write(`${name}.ts`, source);
        return `${name}.ts`;
      });
      const compilerOptions = {
        module: 'nodenext',
        target: 'es2023',
        strict: true,
        exactOptionalPropertyTypes: true,
        skipLibCheck: false,
        types: ['node'],
      };
      write('tsconfig.json', { compilerOptions, files });
      return run(path.join(MODULES, '.bin/tsc'), ['--project', folder], { cwd: folder }).then(
        () => '',
        (error: { stdout: string }) => error.stdout,
      );
    },
    async run(name, environment = {}) {
      const options = { cwd: folder, env: { ...environment }, timeout: RUN_TIMEOUT_MS };
      return (await run(process.execPath, [`${name}.js`], options)).stdout;
    },
  };
}

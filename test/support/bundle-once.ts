import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { FunctionName } from '../../lambda/contract/environment.ts';
import { bundleFunction } from '../../lib/bundle.ts';

/** The folder of a function's bundle, which the first test file of a run that asks makes for all of them. */
export function bundleOnce(name: FunctionName): string {
  const run = process.env['CUTOVER_TEST_RUN_FOLDER'];
  if (!run) throw new Error('bundleOnce needs a project with globalSetup: see jest.config.mjs');
  const made = path.join(run, 'bundles', name);
  // Two that ask at once both make it, which costs time and nothing else.
  if (existsSync(made)) return readFileSync(made, 'utf8');
  const folder = bundleFunction(name);
  mkdirSync(path.dirname(made), { recursive: true });
  writeFileSync(made, folder);
  return folder;
}

import { statSync } from 'node:fs';
import path from 'node:path';
import { FUNCTION_ENVIRONMENT, type FunctionName } from '../../lambda/contract/environment.ts';
import { bundle, bundleFunction } from '../../lib/bundle.ts';
import type { BundleName } from './rows.ts';

/** The folder of each bundle. */
export type Bundles = Readonly<Record<BundleName, string>>;

const FUNCTIONS = Object.keys(FUNCTION_ENVIRONMENT) as FunctionName[];

/** Bundles every deployed function, byte for byte as it is deployed, and the bare handler in the same way. */
export function buildBundles(): Bundles {
  const functions = FUNCTIONS.map((name) => [name, bundleFunction(name)]);
  return Object.fromEntries([['bare', bundle('bench/api/bare.ts', 'bench/bare')], ...functions]);
}

/** The size of a bundle without its source map, in thousands of bytes. */
export const sizeKbOf = (folder: string): number =>
  Math.round(statSync(path.join(folder, 'index.mjs')).size / 100) / 10;

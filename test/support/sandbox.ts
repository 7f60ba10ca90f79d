/** Functions as they are deployed: bundles, each in a process that lives until the test file has ended. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { afterAll } from '@jest/globals';
import type { FunctionName } from '../../lambda/contract/environment.ts';
import { bundleOnce } from './bundle-once.ts';

export interface Sandbox {
  /** Has it answer an event. @throws an error of the same name and message as the handler's. */
  invoke(event: unknown, options?: { readonly timeLeftMs?: number }): Promise<unknown>;
  /** Ends it, by SIGKILL unless told. @returns what it has written that is JSON, line by line. */
  end(signal?: NodeJS.Signals): Promise<Record<string, unknown>[]>;
}

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: { readonly name: string; readonly message: string };
}

/** As long as the hooks have. */
const TIME_LEFT_MS = 180_000;
const SCRIPT = path.join(import.meta.dirname, 'sandbox.mjs');
const children: ChildProcess[] = [];

afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
});

/** Starts a function's bundle with this environment and nothing of this process's. */
export function startSandbox(name: FunctionName, environment: Readonly<Record<string, string>>): Sandbox {
  const folder = bundleOnce(name);
  const child = fork(SCRIPT, [folder], {
    execArgv: [],
    env: { ...environment, NODE_OPTIONS: '--enable-source-maps' },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  children.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      output += chunk;
    });
  }
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  let asked = 0;
  child.on('message', (answer) => {
    const { id, result, error } = answer as Answer;
    if (error) waiting.get(id)?.reject(Object.assign(new Error(error.message), { name: error.name }));
    else waiting.get(id)?.resolve(result);
  });
  child.on('close', () => {
    for (const { reject } of waiting.values()) reject(new Error(`${folder} has ended:\n${output}`));
  });
  return {
    invoke(event, { timeLeftMs = TIME_LEFT_MS } = {}) {
      asked += 1;
      const id = asked;
      child.send({ id, event, timeLeftMs });
      return new Promise((resolve, reject) => void waiting.set(id, { resolve, reject }));
    },
    async end(signal = 'SIGKILL') {
      // What it wrote before it answered is in the pipe, and not yet here.
      if (child.exitCode === null && child.kill(signal)) await once(child, 'close');
      return output.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
    },
  };
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { afterAll } from '@jest/globals';
import type { Moment } from './canned-source.ts';

const SERVE = path.join(import.meta.dirname, 'serve-canned.ts');
const running = new Set<ChildProcess>();

afterAll(() => Promise.all([...running].map(kill)));

export interface Killable {
  readonly url: string;
  /** Ends it as a machine's failure would: nobody is told. */
  kill(): Promise<void>;
}

/** A console in a process of its own, on a free port or the one of another that was killed. */
export async function startKillable(moment: Moment, port = 0): Promise<Killable> {
  const child = spawn(process.execPath, ['--import', 'tsx', SERVE, moment, `${port}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.add(child);
  const [url] = await once(child.stdout, 'data');
  return { url: `${url}`.trim(), kill: () => kill(child) };
}

async function kill(child: ChildProcess): Promise<void> {
  if (!running.delete(child)) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

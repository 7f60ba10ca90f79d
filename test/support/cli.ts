/** The command line as a process, as a person starts it, in a temporary folder of its own. */
import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { stripVTControlCharacters } from 'node:util';
import { afterAll } from '@jest/globals';
import { commandLine } from './command-line.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(path.join(os.tmpdir(), 'test-cli-'));
const running = new Set<ChildProcess>();

afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

export interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `cutover ...args` to its end, with no more of this process's environment than the PATH. */
export function cutover(args: readonly string[], environment: Record<string, string> = {}): Promise<Ended> {
  return startCutover(args, environment).ended;
}

/** Starts it; `interrupt` is Ctrl-C. */
export function startCutover(
  args: readonly string[],
  environment: Record<string, string> = {},
): { readonly ended: Promise<Ended>; interrupt(): void } {
  const child = spawn(process.execPath, commandLine(args), {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], TMPDIR: folder, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  return { ended: endOf(child), interrupt: () => void child.kill('SIGINT') };
}

async function endOf(child: ChildProcessByStdio<null, Readable, Readable>): Promise<Ended> {
  const [[exitCode], stdout, stderr] = await Promise.all([
    once(child, 'exit'),
    text(child.stdout),
    text(child.stderr),
  ]);
  running.delete(child);
  return { exitCode, stdout: stripVTControlCharacters(stdout), stderr: stripVTControlCharacters(stderr) };
}

/** The workspaces that commands have left behind: servers' data, logs and the like. */
export const leftBehind = (): string[] => readdirSync(folder).filter((name) => name.startsWith('cutover-'));

/** What `cutover serve` prints. */
export interface Serving {
  readonly url: string;
  /** Of an administrator, for the admin routes. */
  readonly token: string;
}

/** Serves the API on a free port until the test file has ended. */
export async function cutoverServing(environment: Record<string, string>): Promise<Serving> {
  const child = spawn(process.execPath, commandLine(['serve']), {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], TMPDIR: folder, PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.add(child);
  let printed = '';
  for await (const chunk of child.stdout) {
    printed += chunk;
    const [url, token] = [/^serving +(http:\/\/[^/]+)/m, /^TOKEN=(\S+)$/m].map(
      (line) => line.exec(printed)?.[1],
    );
    if (url && token) return { url, token };
  }
  throw new Error(`cutover serve ended, and had printed only ${JSON.stringify(printed)}`);
}

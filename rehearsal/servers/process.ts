import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Workspace } from './workspace.ts';

const POLL_MS = 5;
const PORT_ATTEMPTS = 5;

/** A server's process, and where its output goes. */
export interface Launched {
  readonly child: ChildProcess;
  readonly log: string;
  /** How it ended: `exit code 1`, `SIGKILL`, `spawn ENOENT`. */
  readonly ended: Promise<string>;
}

/** What to start, and what differs from this process. */
export interface Launch {
  /** Names the log file. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** The user that runs it, when this process is root. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  /** How it is asked to end, `SIGTERM` unless told. */
  readonly endSignal?: NodeJS.Signals;
}

/** Starts a process that belongs to the workspace, in a group of its own, with its output in a log file. */
export function launch(
  workspace: Workspace,
  { name, command, args, cwd, env, user, endSignal }: Launch,
): Launched {
  const log = path.join(workspace.folder, `${name}.log`);
  const output = openSync(log, 'a');
  const child = workspace.spawn(command, args, {
    cwd: cwd ?? workspace.folder,
    stdio: ['ignore', output, output],
    ...(env && { env }),
    ...(endSignal && { endSignal }),
    ...user,
  });
  closeSync(output);
  const ended = exitOf(child);
  child.unref();
  return { child, log, ended };
}

/** Resolves, never rejects, when the process has ended or could not be started. */
export function exitOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
}

/** Sends the signal and waits for the end, which keeps this process running meanwhile. */
export async function end({ child, ended }: Launched, signal: NodeJS.Signals): Promise<void> {
  child.ref();
  child.kill(signal);
  await ended;
}

/**
 * Waits until `isReady` answers true.
 * @throws with the server's last log lines when it ends or the time is over.
 */
export async function untilReady(
  server: Launched,
  what: string,
  isReady: () => boolean | Promise<boolean>,
  limitMs = 15_000,
): Promise<void> {
  let ended: string | undefined;
  void server.ended.then((how) => {
    ended = how;
  });
  const deadline = Date.now() + limitMs;
  for (;;) {
    if (await isReady()) return;
    if (ended !== undefined) throw failure(`${what} ended while starting (${ended})`, server.log);
    if (Date.now() > deadline) throw failure(`${what} was not ready after ${limitMs / 1000} s`, server.log);
    await sleep(POLL_MS);
  }
}

/** An error with the last lines of a log, which mostly name the cause. */
export function failure(message: string, log: string, remedy = ''): Error {
  const lines = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-8);
  return new Error(
    `servers: ${message}${remedy && `: ${remedy}`}\n${lines.map((line) => `  | ${line}`).join('\n')}`,
  );
}

/**
 * Runs `start` on a port that the kernel says is free, and on another one when somebody else was faster.
 * @param port the only one to try, when given.
 */
export async function onFreePort<T>(start: (port: number) => Promise<T>, port?: number): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start(port ?? (await freePort()));
    } catch (error) {
      // "too high": a cluster node's bus listens 10,000 above its port.
      const lost =
        error instanceof Error && /address already in use|port number too high/i.test(error.message);
      if (!lost || port !== undefined || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

/** A port of 127.0.0.1 that nobody listens on now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

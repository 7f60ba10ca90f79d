import { type ChildProcess, type SpawnOptions, type StdioOptions, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { exitOf } from './process.ts';

/** A temporary folder, and the processes that must not outlive the command that opened it. */
export interface Workspace {
  /** Where servers keep data and logs; deleted when the workspace closes, or the command ends in any way. */
  readonly folder: string;
  /**
   * Starts a program that ends with the workspace: at no instant is it running and not registered. It leads
   * a session of its own, so that a Ctrl-C does not reach it before its clients.
   */
  spawn(command: string, args: readonly string[], options?: OwnedOptions): ChildProcess;
  /**
   * Ends a process that was started otherwise; a crash between its start and this call leaves it behind.
   * @param signal how it is asked to end, `SIGTERM` unless told; after 5 s it is killed.
   */
  own(child: ChildProcess, signal?: NodeJS.Signals): void;
  /**
   * Ends all processes and deletes the folder. The second call waits for the first.
   * @throws when a process or the folder could not be removed.
   */
  close(): Promise<void>;
}

/** How an owned program is started: node's options, and how it ends. */
export interface OwnedOptions extends Omit<SpawnOptions, 'detached' | 'shell' | 'stdio'> {
  /** How it is asked to end, `SIGTERM` unless told; after 5 s it is killed. */
  readonly endSignal?: NodeJS.Signals;
  /** For each descriptor from 0: `'pipe'`, `'ignore'` (default), `'inherit'`, `'ipc'`, or an open one. */
  readonly stdio?: Exclude<StdioOptions, string>;
}

/**
 * Opens a workspace. Closing it is good manners and not needed for cleanliness: `reaper.mjs`, a process in
 * a session of its own, cleans up as soon as this process has ended, killed by whatever signal.
 * An open workspace does not keep this process running.
 */
export async function openWorkspace(): Promise<Workspace> {
  const reaper = spawn(process.execPath, [path.join(import.meta.dirname, 'reaper.mjs')], {
    detached: true,
    cwd: '/',
    // Without the options of this process (a debugger's port, a loader).
    env: { PATH: process.env['PATH'] },
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const ended = exitOf(reaper);
  const pipe = reaper.stdin as Socket;
  // A reaper that died is reported by close().
  pipe.on('error', () => {});
  const tell = (message: object) => pipe.write(`${JSON.stringify(message)}\n`);

  const folder = path.join(os.tmpdir(), `cutover-${randomBytes(8).toString('hex')}`);
  // Told before it exists: a kill in between leaves nothing. Nobody else can have a folder of that name.
  tell({ folder });
  mkdirSync(folder);
  // Others may pass, but not look: PostgreSQL runs as another user when this process is root.
  chmodSync(folder, 0o711);

  reaper.unref();
  pipe.unref();

  let closing: Promise<void> | undefined;
  async function close() {
    reaper.ref();
    pipe.end();
    const exit = await ended;
    if (exit !== 'exit code 0') {
      throw new Error(`servers: clean-up failed (${exit}): look for processes and files under ${folder}`);
    }
  }

  function forgetWhenEnded(child: ChildProcess) {
    // Its number may soon belong to somebody else.
    child.once('exit', () => !closing && tell({ forget: child.pid }));
  }

  return {
    folder,
    spawn(command, args, { endSignal = 'SIGTERM', stdio = [], ...options } = {}) {
      if (closing) throw new Error(`servers: ${command} cannot start: its workspace is closed`);
      const [input = 'ignore', output = 'ignore', errors = 'ignore', ...others] = stdio;
      const descriptors = [input, output, errors, ...others, pipe];
      const last = descriptors.length - 1;
      // The shell becomes the program after it has told the reaper its number. Should this process be
      // killed meanwhile, then the shell itself holds the pipe open until it has told.
      const script = `echo "{\\"own\\":$$,\\"signal\\":\\"${endSignal}\\"}" >&${last}; exec "$@" ${last}>&-`;
      const child = spawn('/bin/sh', ['-c', script, 'sh', command, ...args], {
        ...options,
        detached: true,
        stdio: descriptors,
      });
      forgetWhenEnded(child);
      return child;
    },
    own(child, signal = 'SIGTERM') {
      if (child.pid === undefined) return;
      tell({ own: child.pid, signal });
      forgetWhenEnded(child);
    },
    close() {
      closing ??= close();
      return closing;
    },
  };
}

import { once } from 'node:events';
import { createWriteStream, openSync, readFileSync, readSync } from 'node:fs';
import path from 'node:path';
import type { ChildMessage } from './child.ts';
import { isDocument } from './documents.ts';
import type { Workspace } from './servers/workspace.ts';

/** A backend that runs in a process of its own. */
export interface RunningBackend {
  readonly url: string;
  /** Rejects if the process ends; never resolves. */
  readonly failure: Promise<never>;
  /** The last lines that it wrote, without metrics; empty if it wrote nothing. */
  lastLines(): string;
  /** What it has written since the last call, line by line. */
  newLines(): string[];
  /** Tells it to end. @returns all that it wrote, when it has. */
  end(): Promise<readonly string[]>;
}

export interface BackendOptions {
  readonly name: string;
  /** The TypeScript file to run, relative to `rehearsal/`, and its arguments. */
  readonly main: readonly [file: string, ...args: string[]];
  readonly environment: Readonly<Record<string, string>>;
}

const START_TIMEOUT_MS = 20_000;

/**
 * Starts a backend and waits until it listens.
 * @throws with the last lines that it wrote, when it does not come up.
 */
export async function startBackend(
  workspace: Workspace,
  { name, main, environment }: BackendOptions,
): Promise<RunningBackend> {
  const log = path.join(workspace.folder, `${name}.log`);
  const output = createWriteStream(log);
  await once(output, 'open');
  const [file, ...args] = main;
  const child = workspace.spawn(
    process.execPath,
    ['--enable-source-maps', '--import', 'tsx', path.resolve(import.meta.dirname, file), ...args],
    {
      cwd: path.resolve(import.meta.dirname, '..'),
      env: { PATH: process.env['PATH'] ?? '', ...environment },
      stdio: ['ignore', output, output, 'ipc'],
    },
  );
  const complain = (what: string) => new Error(`rehearse: the ${name} backend ${what}\n${lastLines(log)}`);
  const ended = once(child, 'exit');
  const failure = ended.then(([code, signal]) => {
    throw complain(`ended (${signal ?? `exit code ${code}`})`);
  });
  // Whoever waits for it sees it; at the end of a run nobody does.
  failure.catch(() => {});

  const signal = AbortSignal.timeout(START_TIMEOUT_MS);
  const started = once(child, 'message', { signal }) as Promise<[ChildMessage]>;
  const [message] = await Promise.race([started, failure]).catch((cause: Error) => {
    throw cause.name === 'AbortError' ? complain('did not listen within 20 s') : cause;
  });
  if ('error' in message) throw new Error(`rehearse: the ${name} backend did not start: ${message.error}`);
  return {
    url: `http://127.0.0.1:${message.port}`,
    failure,
    lastLines: () => lastLines(log),
    newLines: createTail(log),
    async end() {
      child.kill('SIGTERM');
      await ended;
      return linesOf(log);
    },
  };
}

const TAIL_BYTES = 65_536;

/** Reads a file while it grows; a line that is not whole yet is told the next time. */
function createTail(file: string): () => string[] {
  const descriptor = openSync(file, 'r');
  const buffer = Buffer.alloc(TAIL_BYTES);
  let position = 0;
  let begun = '';
  return () => {
    const lines: string[] = [];
    for (let read = -1; read !== 0; ) {
      read = readSync(descriptor, buffer, 0, TAIL_BYTES, position);
      position += read;
      const parts = (begun + buffer.toString('utf8', 0, read)).split('\n');
      begun = parts.pop() ?? '';
      lines.push(...parts);
    }
    return lines;
  };
}

const linesOf = (log: string): string[] => readFileSync(log, 'utf8').split('\n').filter(Boolean);

function lastLines(log: string): string {
  return linesOf(log)
    .filter((line) => !isDocument(line))
    .slice(-10)
    .map((line) => `  | ${line}`)
    .join('\n');
}

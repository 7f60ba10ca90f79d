import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Workspace } from '../rehearsal/servers/workspace.ts';
import type { Argument, Reply, Result, TaskName, WorkerEnvironment } from './tasks.ts';

/** A contender in a process of its own. */
export interface Worker {
  readonly library: string;
  /** @throws when the task throws, the process ends, or `limitMs` pass: a contender may hang for ever. */
  ask<Name extends TaskName>(
    task: Name,
    argument: Argument<Name>,
    options?: { readonly limitMs?: number },
  ): Promise<Result<Name>>;
  end(): Promise<void>;
}

const START_LIMIT_MS = 30_000;
const TASK_LIMIT_MS = 60_000;

let count = 0;

export interface WorkerOptions {
  /** The bundle to run. */
  readonly file: string;
  readonly environment: WorkerEnvironment;
}

/**
 * Starts a contender and waits until it is connected.
 * @throws with its log's last lines when it does not come up.
 */
export async function startWorker(
  workspace: Workspace,
  { file, environment }: WorkerOptions,
): Promise<Worker> {
  const { LIBRARY: library } = environment;
  count += 1;
  const log = path.join(workspace.folder, `worker-${count}.log`);
  const output = createWriteStream(log);
  await once(output, 'open');
  const child = workspace.spawn(process.execPath, ['--expose-gc', file], {
    env: { PATH: process.env['PATH'] ?? '', LOG_LEVEL: 'SILENT', ...environment },
    stdio: ['ignore', output, output, 'ipc'],
  });
  const ended = once(child, 'exit').then(([code, signal]) => {
    const lines = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-12).join('\n');
    throw new Error(`bench: the process of ${library} ended (${signal ?? `exit code ${code}`})\n${lines}`);
  });
  // Whoever asks it something sees it; at the end nobody does.
  ended.catch(() => {});
  await within(START_LIMIT_MS, `${library} did not start`, Promise.race([once(child, 'message'), ended]));
  return {
    library,
    ask: (task, argument, { limitMs = TASK_LIMIT_MS } = {}) =>
      within(
        limitMs,
        `${library} did not end its ${task}`,
        Promise.race([exchange(child, task, argument), ended]),
      ),
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
    },
  };
}

let asked = 0;

/** Sends a request and waits for its reply. */
function exchange<Name extends TaskName>(
  child: ChildProcess,
  task: Name,
  argument: Argument<Name>,
): Promise<Result<Name>> {
  asked += 1;
  const id = asked;
  return new Promise((resolve, reject) => {
    const onMessage = (reply: Reply) => {
      if (reply.id !== id) return;
      child.off('message', onMessage);
      if ('error' in reply) reject(new Error(`bench: ${task}: ${reply.error}`));
      else resolve(reply.result as Result<Name>);
    };
    child.on('message', onMessage);
    child.send({ id, task, argument });
  });
}

async function within<T>(limitMs: number, complaint: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`bench: ${complaint} within ${limitMs} ms`)), limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

import type { ChildProcess } from 'node:child_process';
import type { Workspace } from '../rehearsal/servers/workspace.ts';
import { endProcess, startProcess, within } from './processes.ts';
import type { Argument, Reply, Result, TaskName, TaskTable } from './protocol.ts';

/** A process that does what it is asked. */
export interface Worker<Tasks extends TaskTable<Tasks>> {
  readonly name: string;
  /** @throws when the task throws, the process ends, or `limitMs` pass: a contender may hang for ever. */
  ask<Name extends TaskName<Tasks>>(
    task: Name,
    argument: Argument<Tasks, Name>,
    options?: { readonly limitMs?: number },
  ): Promise<Result<Tasks, Name>>;
  end(): Promise<void>;
}

export interface WorkerOptions {
  /** As tables and errors call it. */
  readonly name: string;
  /** The bundle to run, which ends in `serveTasks`. */
  readonly file: string;
  readonly environment?: Readonly<Record<string, string>>;
}

const TASK_LIMIT_MS = 60_000;

/**
 * Starts a process and waits until it is ready to be asked.
 * @throws with its log's last lines when it does not come up.
 */
export async function startWorker<Tasks extends TaskTable<Tasks>>(
  workspace: Workspace,
  { name, file, environment = {} }: WorkerOptions,
): Promise<Worker<Tasks>> {
  const { child, ended } = await startProcess(workspace, { name, args: ['--expose-gc', file], environment });
  return {
    name,
    ask: <Name extends TaskName<Tasks>>(
      task: Name,
      argument: Argument<Tasks, Name>,
      { limitMs = TASK_LIMIT_MS } = {},
    ) => {
      const answer = exchange(child, task, argument) as Promise<Result<Tasks, Name>>;
      return within(limitMs, `${name} did not end its ${task}`, Promise.race([answer, ended]));
    },
    end: () => endProcess(child),
  };
}

let asked = 0;

/** Sends a request and waits for its reply. */
function exchange(child: ChildProcess, task: string, argument: unknown): Promise<unknown> {
  asked += 1;
  const id = asked;
  return new Promise((resolve, reject) => {
    const onMessage = (reply: Reply) => {
      if (reply.id !== id) return;
      child.off('message', onMessage);
      if ('error' in reply) reject(new Error(`bench: ${task}: ${reply.error}`));
      else resolve(reply.result);
    };
    child.on('message', onMessage);
    child.send({ id, task, argument });
  });
}

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Workspace } from '../rehearsal/servers/workspace.ts';

/** A process of the bench's that has said something. */
export interface Started<Message> {
  readonly child: ChildProcess;
  /** The first thing that it told. */
  readonly message: Message;
  /** Rejects, with the last lines of its log, when the process ends; never resolves. */
  readonly ended: Promise<never>;
}

export interface Start {
  /** As errors call it. */
  readonly name: string;
  /** The bundle to run, after node's options and before its arguments. */
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

const START_LIMIT_MS = 30_000;

let count = 0;

/**
 * Starts a process and waits for its first message.
 * @throws with its log's last lines when it ends before, or says nothing within 30 s.
 */
export async function startProcess<Message>(
  workspace: Workspace,
  { name, args, environment }: Start,
): Promise<Started<Message>> {
  count += 1;
  const log = path.join(workspace.folder, `process-${count}.log`);
  const output = createWriteStream(log);
  await once(output, 'open');
  const child = workspace.spawn(process.execPath, args, {
    env: { PATH: process.env['PATH'] ?? '', LOG_LEVEL: 'SILENT', ...environment },
    stdio: ['ignore', output, output, 'ipc'],
  });
  output.close();
  const ended = once(child, 'exit').then(([code, signal]) => {
    const lines = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-12).join('\n');
    throw new Error(`bench: the process of ${name} ended (${signal ?? `exit code ${code}`})\n${lines}`);
  });
  // Whoever asks it something sees it; at the end nobody does.
  ended.catch(() => {});
  const told = once(child, 'message') as Promise<[Message]>;
  const [message] = await within(START_LIMIT_MS, `${name} did not start`, Promise.race([told, ended]));
  return { child, message, ended };
}

/** Kills a process, and waits until it has ended. */
export async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

/** @throws when the work takes longer. */
export async function within<T>(limitMs: number, complaint: string, work: Promise<T>): Promise<T> {
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

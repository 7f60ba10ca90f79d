import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, test } from '@jest/globals';
import { listens, remainsAfterAll, type Traces } from './remains.ts';

const SCRIPT = path.join(import.meta.dirname, 'open-servers.ts');
const commands: ChildProcess[] = [];

interface Line {
  folder?: string;
  port?: number;
  pid?: number;
  ready?: boolean;
}

/** Runs the script until it says a line that fulfils `until`. */
async function run(until: (line: Line) => boolean): Promise<{ traces: Traces; group: number }> {
  // As a shell does it: a process group of its own, to which a Ctrl-C goes.
  const command = spawn(process.execPath, ['--import', 'tsx', SCRIPT], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  commands.push(command);
  const traces: Traces = { folder: '', ports: [], pids: [] };
  for await (const text of createInterface({ input: command.stdout })) {
    const line: Line = JSON.parse(text);
    if (line.folder) traces.folder = line.folder;
    if (line.port) traces.ports.push(line.port);
    if (line.pid) traces.pids.push(line.pid);
    if (until(line)) break;
  }
  return { traces, group: command.pid ?? 0 };
}

afterEach(() => {
  for (const command of commands.splice(0)) command.kill('SIGKILL');
});

describe('a command with a Redis and a PostgreSQL leaves no process, port or folder', () => {
  test.each(['SIGKILL', 'SIGINT'] as const)('after %s to its whole group', async (signal) => {
    const { traces, group } = await run(({ ready }) => ready === true);
    expect(traces).toMatchObject({ ports: [expect.any(Number), expect.any(Number)], pids: { length: 2 } });
    expect(await Promise.all(traces.ports.map(listens))).toEqual([true, true]);

    process.kill(-group, signal);

    expect(await remainsAfterAll(traces)).toEqual([]);
  });

  test.each([0, 10, 100])('killed %i ms after it began to start them', async (delayMs) => {
    const { traces, group } = await run(({ folder }) => folder !== undefined);
    expect(traces.folder).not.toBe('');
    await new Promise((resolve) => setTimeout(resolve, delayMs));

    process.kill(-group, 'SIGKILL');

    expect(await remainsAfterAll(traces)).toEqual([]);
  });
});

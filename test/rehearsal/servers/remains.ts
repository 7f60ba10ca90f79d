import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a command may leave behind. */
export interface Traces {
  folder: string;
  ports: number[];
  pids: number[];
}

/** What is left of it, in words; empty when all is gone. */
export async function remains({ folder, ports, pids }: Traces): Promise<string[]> {
  const open = await Promise.all(ports.map(async (port) => ((await listens(port)) ? [`port ${port}`] : [])));
  return [
    ...(existsSync(folder) ? [`folder ${folder}`] : []),
    ...open.flat(),
    ...processes()
      .filter(({ pid, command }) => pids.includes(pid) || command.includes(folder))
      .map(describe),
  ];
}

/** Waits for nothing to be left. @returns what is left after 8 s, for `toEqual([])`. */
export async function remainsAfterAll(traces: Traces): Promise<string[]> {
  let left: string[] = [];
  for (let attempt = 0; attempt < 80; attempt += 1) {
    left = await remains(traces);
    if (left.length === 0) break;
    await sleep(100);
  }
  return left;
}

/** The processes of this machine, without those that have ended and only wait to be collected. */
export function processes(): { pid: number; parent: number; command: string }[] {
  return execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat=,args='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [])
    .filter(([, pid, , state]) => pid && !state?.startsWith('Z'))
    .map(([, pid, parent, , command]) => ({
      pid: Number(pid),
      parent: Number(parent),
      command: command ?? '',
    }));
}

export function isAlive(pid: number): boolean {
  return processes().some((process) => process.pid === pid);
}

export function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

function describe({ pid, command }: { pid: number; command: string }): string {
  return `process ${pid} ${command}`;
}

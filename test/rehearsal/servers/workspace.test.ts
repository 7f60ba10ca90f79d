import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { startRedis } from '../../../rehearsal/servers/redis.ts';
import { openWorkspace, type Workspace } from '../../../rehearsal/servers/workspace.ts';
import { isAlive, listens, processes, remainsAfterAll } from './remains.ts';

const workspaces: Workspace[] = [];

async function open(): Promise<Workspace> {
  const workspace = await openWorkspace();
  workspaces.push(workspace);
  return workspace;
}

afterEach(async () => {
  await Promise.allSettled(workspaces.splice(0).map((workspace) => workspace.close()));
});

test('closing ends the processes and deletes the folder, and may be done twice', async () => {
  const workspace = await open();
  const { port, pid } = await startRedis(workspace);

  await Promise.all([workspace.close(), workspace.close()]);

  expect(await remainsAfterAll({ folder: workspace.folder, ports: [port], pids: [pid] })).toEqual([]);
  expect(() => workspace.spawn('true', [])).toThrow('its workspace is closed');
});

test('closing one workspace leaves another alone', async () => {
  const [first, second] = [await open(), await open()];
  const [left, right] = [await startRedis(first), await startRedis(second)];

  await first.close();

  expect(await Promise.all([left, right].map(({ port }) => listens(port)))).toEqual([false, true]);
  expect([first, second].map(({ folder }) => existsSync(folder))).toEqual([false, true]);
});

test('a frozen process is ended', async () => {
  const workspace = await open();
  const { pid, kill } = await startRedis(workspace);
  await kill('SIGSTOP');

  await workspace.close();

  expect(isAlive(pid)).toBe(false);
});

test.each([
  ['ends when asked', 'exit 0'],
  ['has to be killed', ':'],
])('a process that %s takes along what it started', async (_, onSignal) => {
  const workspace = await open();
  const script = `trap '${onSignal}' TERM; sleep 1000 & echo $!; while :; do sleep 0.1; done`;
  const child = workspace.spawn('/bin/sh', ['-c', script], { stdio: ['ignore', 'pipe'] });
  const [chunk] = child.stdout ? await once(child.stdout, 'data') : [];
  const pids = [child.pid ?? 0, Number(chunk)];
  expect(pids.map(isAlive)).toEqual([true, true]);

  await workspace.close();

  expect(pids.map(isAlive)).toEqual([false, false]);
});

test('a process that was started elsewhere can be handed over', async () => {
  const workspace = await open();
  const child = spawn('sleep', ['1000'], { detached: true });
  workspace.own(child);

  await workspace.close();

  expect(isAlive(child.pid ?? 0)).toBe(false);
});

test('the number of a process that has ended is forgotten, because another may get it', async () => {
  const reaper = spawn(process.execPath, [path.resolve('rehearsal/servers/reaper.mjs')]);
  const other = spawn('sleep', ['1000']);
  reaper.stdin.end(`{"own":${other.pid},"signal":"SIGTERM"}\n{"forget":${other.pid}}\n`);

  expect(await once(reaper, 'exit')).toEqual([0, null]);
  expect(isAlive(other.pid ?? 0)).toBe(true);
  other.kill('SIGKILL');
});

test('a clean-up that did not happen is an error that names the folder', async () => {
  const before = new Set(reapers());
  const workspace = await open();
  const [reaper = 0] = reapers().filter((pid) => !before.has(pid));
  process.kill(reaper, 'SIGKILL');

  await expect(workspace.close()).rejects.toThrow(
    `clean-up failed (SIGKILL): look for processes and files under ${workspace.folder}`,
  );
  rmSync(workspace.folder, { recursive: true });
});

function reapers(): number[] {
  return processes()
    .filter(({ parent, command }) => parent === process.pid && command.endsWith('reaper.mjs'))
    .map(({ pid }) => pid);
}

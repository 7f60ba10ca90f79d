/**
 * The one clean-up path of a command that started servers, run as `node reaper.mjs` in a session of its
 * own. It holds the read end of a pipe whose only write end is in the command, and acts when that closes:
 * at a normal end, after Ctrl-C, a crash, or `kill -9`, which no handler inside the command can see.
 *
 * One JSON object a line on stdin: `{ "folder": path }`, `{ "own": pid, "signal": name }`, `{ "forget": pid }`.
 * Exits 0 when every process and the folder are gone, else 1 after a line on stderr.
 */
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const PATIENCE_MS = 5_000;
const POLL_MS = 15;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
// Whoever read our stderr may be gone as well.
process.stderr.on('error', () => {});

/** @type {Map<number, { signal: NodeJS.Signals, born: string }>} */
const owned = new Map();
let folder = '';

for await (const line of createInterface({ input: process.stdin })) {
  const message = parse(line);
  if (message.folder) folder = message.folder;
  if (message.own) owned.set(message.own, { signal: message.signal, born: born(message.own) });
  if (message.forget) owned.delete(message.forget);
}

const complaints = [];
const running = alive();
for (const [pid, { signal }] of running) send(pid, signal);
if (!(await gone())) {
  for (const [pid] of alive()) send(pid, 'SIGKILL');
  if (!(await gone())) complaints.push(`processes ${alive().map(([pid]) => pid)} do not end`);
}
// What they started, and did not end themselves, is still in the process groups that they led.
for (const [pid] of running) send(-pid, 'SIGKILL');
if (basename(folder).startsWith('cutover-')) {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 }).catch((error) =>
    complaints.push(error.message),
  );
}
for (const complaint of complaints) process.stderr.write(`cutover: clean-up: ${complaint}\n`);
process.exit(complaints.length > 0 ? 1 : 0);

/**
 * When the process began, on Linux, which tells it from a later one with its number; elsewhere ''.
 * A zombie has ended: where the first process of a container collects no children, it stays for ever.
 * @returns {string | undefined} undefined when there is no such process.
 */
function born(/** @type {number} */ pid) {
  try {
    process.kill(pid, 0);
    if (process.platform !== 'linux') return '';
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function alive() {
  return [...owned].filter(([pid, { born: since }]) => since !== undefined && born(pid) === since);
}

/** @returns {{ folder?: string, own?: number, signal?: NodeJS.Signals, forget?: number }} */
function parse(/** @type {string} */ line) {
  try {
    return JSON.parse(line);
  } catch {
    // The last line of a killed command may be cut short.
    return {};
  }
}

function send(/** @type {number} */ pid, /** @type {NodeJS.Signals} */ signal) {
  try {
    process.kill(pid, signal);
    // A test may have frozen it, and only SIGKILL reaches a frozen process.
    process.kill(pid, 'SIGCONT');
  } catch {}
}

async function gone() {
  const deadline = Date.now() + PATIENCE_MS;
  while (alive().length > 0 && Date.now() < deadline) await sleep(POLL_MS);
  return alive().length === 0;
}

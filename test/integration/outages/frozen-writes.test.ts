import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, test } from '@jest/globals';
import type { Dispatcher } from '../../../lambda/outbox/dispatcher.ts';
import { type Backend, backends, type Outage, type Written } from './backends.ts';

const FREEZES = 20;
const USERS = Array.from({ length: 8 }, (_, index) => `user-${index}`);

let outage: Outage;
let dispatcher: Dispatcher;

beforeAll(async () => {
  outage = await backends();
  dispatcher = await outage.dispatcher();
});

/** Writes until it is told to stop; @returns the last write of each user that answered done, and that answered at all. */
async function writeUntil(stopped: () => boolean, writer: Backend, users: readonly string[]) {
  const done = new Map<string, number>();
  const answered = new Map<string, Written>();
  await Promise.all(
    users.map(async (user) => {
      while (!stopped()) {
        const written = await writer.write(user);
        answered.set(user, written);
        if (written.invalidation === 'done') done.set(user, written.version);
        await sleep(3);
      }
    }),
  );
  return { done, answered };
}

test(`${FREEZES} freezes in the middle of writes: what answered done is never stale, the rest not after the dispatcher`, async () => {
  const { server, runtime, legacy } = outage;
  const halves = [USERS.slice(0, 4), USERS.slice(4)] as const;
  let pending = 0;
  for (let freeze = 0; freeze < FREEZES; freeze += 1) {
    for (const user of USERS) await Promise.all([runtime.read(user), legacy.read(user)]);
    let isOver = false;
    const stopped = () => isOver;
    const writing = Promise.all([
      writeUntil(stopped, runtime, halves[0]),
      // Its client waits as long as the freeze lasts.
      writeUntil(stopped, legacy, halves[1]),
    ]);
    await sleep(10 + (freeze % 5) * 4);
    await server.kill('SIGSTOP');
    await sleep(50);
    isOver = true;
    // Longer than both attempts of the last invalidations.
    await sleep(350);
    await server.kill('SIGCONT');
    const [first, second] = await writing;
    for (const [user, version] of [...first.done, ...second.done]) {
      expect(await runtime.read(user)).toBeGreaterThanOrEqual(version);
      expect(await legacy.read(user)).toBeGreaterThanOrEqual(version);
    }
    const all = [...first.answered, ...second.answered];
    pending += all.filter(([, { invalidation }]) => invalidation === 'pending').length;
    while ((await dispatcher.dispatch()).pending) await sleep(20);
    for (const [user, { version }] of all) {
      expect([await runtime.read(user), await legacy.read(user)]).toEqual([version, version]);
    }
  }
  // Otherwise the freezes came between the writes.
  expect(pending).toBeGreaterThan(FREEZES);
}, 120_000);

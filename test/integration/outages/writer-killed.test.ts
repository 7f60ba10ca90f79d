import { once } from 'node:events';
import path from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import type { Dispatcher } from '../../../lambda/outbox/dispatcher.ts';
import { bundle } from '../../../lib/bundle.ts';
import { ownWorkspace } from '../../support/servers.ts';
import { backends, type Outage } from './backends.ts';

const KILLS = 50;
const AT_ONCE = 5;

let outage: Outage;
let dispatcher: Dispatcher;
let main: string;

beforeAll(async () => {
  outage = await backends();
  dispatcher = await outage.dispatcher();
  main = path.join(bundle('test/integration/outages/writer.ts', 'tests/writer'), 'index.mjs');
});

/** @returns the signal that ended the writer. */
async function killedWriter(userId: string, unlinks: number): Promise<unknown> {
  const { server, databaseUrl } = outage;
  const workspace = await ownWorkspace();
  const child = workspace.spawn(process.execPath, [main, server.url, databaseUrl, userId, `${unlinks}`]);
  const [, signal] = await once(child, 'exit');
  return signal;
}

const unconfirmed = async () =>
  (await outage.database.query('SELECT FROM cutover_outbox WHERE confirmed_at IS NULL')).rowCount;

test(`${KILLS} writers killed between commit and invalidation: no row is lost, and none is read for longer than the bound`, async () => {
  const { runtime, legacy } = outage;
  let staleBefore = 0;
  for (let round = 0; round < KILLS; round += AT_ONCE) {
    const users = Array.from({ length: AT_ONCE }, (_, index) => `${round + index}`);
    for (const user of users) expect([await runtime.read(user), await legacy.read(user)]).toEqual([0, 0]);
    // Killed before the first UNLINK, between two of them, and after the last.
    const signals = await Promise.all(users.map((user, index) => killedWriter(user, index)));
    expect(signals).toEqual(Array(AT_ONCE).fill('SIGKILL'));

    expect(await unconfirmed()).toBeGreaterThanOrEqual(AT_ONCE - 1);
    for (const user of users) staleBefore += (await runtime.read(user)) === 0 ? 1 : 0;
    expect(await dispatcher.dispatch()).toMatchObject({ pending: false });
    expect(await unconfirmed()).toBe(0);
    for (const user of users) expect([await runtime.read(user), await legacy.read(user)]).toEqual([1, 1]);
  }
  // Otherwise nothing of this would need a dispatcher.
  expect(staleBefore).toBeGreaterThan(KILLS / 4);
}, 120_000);

import { randomInt } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { lookInto } from '../../support/redis.ts';
import { ownRedis } from '../../support/servers.ts';
import { flushHolds } from './property/holds.ts';
import { PLACES } from './property/places.ts';

/** More of them, also with trouble in a cluster: `npm run test:deep`. */
const RUNS = 8;
const seed = Number(process.env['SEED'] ?? randomInt(2 ** 31));

test.each([
  ['one server', 'nothing happens'],
  ['one server', 'the connection is cut'],
  ['one server', 'Redis is restarted'],
  ['a cluster of 3', 'the connection is cut'],
] as const)(`exactly what is due is gone: %s, %s, SEED=${seed}`, async (place, what) => {
  const { target, redis, troubles } = await PLACES[place]();
  const oracle = await lookInto((await ownRedis()).url, { binary: true });
  const trouble = troubles[what];
  const seen = await flushHolds({ target, redis, oracle, numRuns: RUNS, seed, ...(trouble && { trouble }) });
  expect(seen.keys).toBeGreaterThan(500);
  expect(seen.deleted).toBeGreaterThan(20);
});

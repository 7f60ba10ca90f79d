import { randomInt } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { lookInto } from '../../../support/redis.ts';
import { ownRedis } from '../../../support/servers.ts';
import { flushHolds } from '../property/holds.ts';
import { PLACES } from '../property/places.ts';

const RUNS = { 'nothing happens': 500, 'the connection is cut': 500, 'Redis is restarted': 200 };
const HOUR_MS = 3_600_000;
const seed = Number(process.env['SEED'] ?? randomInt(2 ** 31));

const all = Object.keys(PLACES).flatMap((place) => Object.keys(RUNS).map((what) => [place, what]));

test.each(all as [keyof typeof PLACES, keyof typeof RUNS][])(
  `exactly what is due is gone: %s, %s, SEED=${seed}`,
  async (place, what) => {
    const { target, redis, troubles } = await PLACES[place]();
    const oracle = await lookInto((await ownRedis()).url, { binary: true });
    const trouble = troubles[what];
    const numRuns = RUNS[what];
    const seen = await flushHolds({ target, redis, oracle, numRuns, seed, ...(trouble && { trouble }) });
    console.log(`${place}, ${what}: ${numRuns} cases, ${JSON.stringify(seen)}`);
    expect(seen.deleted).toBeGreaterThan(numRuns);
    if (what !== 'nothing happens') expect(seen.restarts).toBeGreaterThan(numRuns / 10);
  },
  HOUR_MS,
);

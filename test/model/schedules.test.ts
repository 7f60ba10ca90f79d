import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DEPARTURES, type Departure, PROTOCOL } from './real/departures.ts';
import { failureOf, PATH, SEED } from './real/report.ts';
import { check } from './real/run.ts';
import { FOUND } from './real/seeds.ts';
import { type Servers, startServers } from './real/servers.ts';
import { takeOverTime } from './real/time.ts';

/** The product's own code on a real Redis and PostgreSQL; `npm run test:deep` runs a hundred times as many. */
const SCHEDULES = 1000;
const TIMEOUT_MS = 300_000;

let servers: Servers;
beforeAll(async () => {
  takeOverTime();
  servers = await startServers();
});
afterAll(() => servers?.close());

test(
  'no schedule has a stale read',
  async () => {
    const { [SEED]: seed = '1', [PATH]: path } = process.env;
    const details = await check({
      servers,
      departure: PROTOCOL,
      seed: Number(seed),
      schedules: SCHEDULES,
      ...(path && { path }),
    });
    expect(failureOf(details)).toBeUndefined();
  },
  TIMEOUT_MS,
);

describe('the schedule found for each departure is stale', () => {
  test.each(Object.entries(FOUND))('%s', async (name, { seed, path }) => {
    const departure: Departure = DEPARTURES[name as keyof typeof DEPARTURES];
    const details = await check({ servers, departure, seed, path, schedules: 1 });
    expect(failureOf(details)).toMatch(/^StaleReadError/);
  });
});

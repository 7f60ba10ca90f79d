import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { DEPARTURES } from '../real/departures.ts';
import { failureOf } from '../real/report.ts';
import { CONNECTIONS, check } from '../real/run.ts';
import { type Servers, startServers } from '../real/servers.ts';
import { takeOverTime } from '../real/time.ts';

const SCHEDULES = 2000;
const SEED = 1;
const TIMEOUT_MS = 10 * 60_000;

let servers: Servers;
const found: Record<string, { seed: number; path: string }> = {};

beforeAll(async () => {
  takeOverTime();
  servers = await startServers(CONNECTIONS);
});
afterAll(async () => {
  await servers?.close();
  // For test/model/real/seeds.ts.
  console.log(JSON.stringify(found, undefined, 2));
});

test.each(Object.entries(DEPARTURES))(
  '%s is stale',
  async (name, departure) => {
    const details = await check({ servers, departure, seed: SEED, schedules: SCHEDULES });
    expect(failureOf(details)).toMatch(/^StaleReadError/);
    process.stdout.write(`${name} ${details.numRuns}\n`);
    found[name] = { seed: SEED, path: details.counterexamplePath ?? '' };
  },
  TIMEOUT_MS,
);

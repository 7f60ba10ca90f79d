import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { DEPARTURES } from '../real/departures.ts';
import { failureOf, SEED } from '../real/report.ts';
import { check } from '../real/run.ts';
import { FOUND } from '../real/seeds.ts';
import { type Servers, startServers } from '../real/servers.ts';
import { takeOverTime } from '../real/time.ts';

const SCHEDULES = 2000;
const TIMEOUT_MS = 10 * 60_000;

let servers: Servers;
const found: Record<string, { seed: number; path: string }> = {};

beforeAll(async () => {
  takeOverTime();
  servers = await startServers();
});
afterAll(async () => {
  await servers?.close();
  console.log(JSON.stringify(found, undefined, 2));
});

test.each(Object.entries(DEPARTURES))(
  '%s is stale',
  async (name, departure) => {
    const seed = Number(process.env[SEED] ?? FOUND[name as keyof typeof DEPARTURES].seed);
    const details = await check({ servers, departure, seed, schedules: SCHEDULES });
    expect(failureOf(details)).toMatch(/^StaleReadError/);
    // For test/model/real/seeds.ts.
    found[name] = { seed, path: details.counterexamplePath ?? '' };
  },
  TIMEOUT_MS,
);

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { PROTOCOL } from '../real/departures.ts';
import { failureOf, SEED } from '../real/report.ts';
import { check } from '../real/run.ts';
import { type Servers, startServers } from '../real/servers.ts';
import { takeOverTime } from '../real/time.ts';

const SCHEDULES = 50_000;
const TIMEOUT_MS = 2 * 60 * 60_000;

/** Half of the hundred thousand schedules, in a process and on servers of its own; each run draws new ones. */
export function runHalf(half: 1 | 2): void {
  let servers: Servers;
  beforeAll(async () => {
    takeOverTime();
    servers = await startServers();
  });
  afterAll(() => servers?.close());

  test(
    `no schedule has a stale read, half ${half}`,
    async () => {
      const seed = Number(process.env[SEED] ?? Date.now() % 2 ** 30) + half;
      const details = await check({ servers, departure: PROTOCOL, seed, schedules: SCHEDULES });
      expect(failureOf(details)).toBeUndefined();
    },
    TIMEOUT_MS,
  );
}

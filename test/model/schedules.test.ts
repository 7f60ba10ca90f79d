import { afterAll, beforeAll, test } from '@jest/globals';
import { DEPARTURES, PROTOCOL } from './real/departures.ts';
import { CONNECTIONS, check } from './real/run.ts';
import { type Servers, startServers } from './real/servers.ts';
import { takeOverTime } from './real/time.ts';

let servers: Servers;
beforeAll(async () => {
  takeOverTime();
  servers = await startServers(CONNECTIONS);
});
afterAll(() => servers?.close());

test('protocol', async () => {
  const t = Date.now();
  const details = await check({ servers, departure: PROTOCOL, seed: 1, schedules: 300 });
  console.log(Date.now() - t, details.numRuns, details.failed, details.counterexamplePath, (details as {errorInstance?: unknown}).errorInstance, details.failed && String(details.counterexample?.[0]), JSON.stringify(details.counterexample?.slice(1)));
}, 100000);

test.each(Object.entries(DEPARTURES))('%s', async (name, departure) => {
  const t = Date.now();
  const details = await check({ servers, departure, seed: 1, schedules: Number(process.env.N ?? 2000) });
  process.stdout.write([name, Date.now() - t, details.numRuns, details.failed, details.counterexamplePath, String((details as {errorInstance?: unknown}).errorInstance)].join(' ')+'\n');
}, 100000);

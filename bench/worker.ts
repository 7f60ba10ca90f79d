/**
 * The process of one cache library. Each has one of its own: in a shared one they would pay for each other's garbage, for
 * code that was optimised for somebody else, and for the promise hooks that the first AsyncLocalStorage switches on.
 */
import { createPool } from '../lambda/database/pool.ts';
import { CONTENDERS } from './contenders/contenders.ts';
import { playLateFills } from './late-fill.ts';
import { readThroughOutage } from './outage.ts';
import { serveTasks } from './protocol.ts';
import { joinStampede } from './stampede.ts';
import type { Tasks } from './tasks.ts';
import { runSlot, warm } from './throughput.ts';
import { databaseLoader } from './values.ts';

const { LIBRARY: library = '', REDIS_URL: url = '', DATABASE_URL: databaseUrl = '' } = process.env;

const open = CONTENDERS[library];
if (!open) throw new Error(`bench: LIBRARY=${library} is none of ${Object.keys(CONTENDERS).join(', ')}`);

const pool = createPool({ url: databaseUrl, applicationName: `cutover-bench-${library}` });
let loads = 0;
const query = databaseLoader(pool);
const load = (key: string) => {
  loads += 1;
  return query(key);
};
const contender = await open({ url, load });

serveTasks<Tasks>({
  warm: (keys) => warm(contender, keys),
  throughput: (slot) => runSlot({ contender, loads: () => loads }, slot),
  stampede: (stampede) => joinStampede({ open, url, pool }, stampede),
  lateFill: () => playLateFills({ open, url }),
  readThroughOutage: (reading) => readThroughOutage(open, reading),
});

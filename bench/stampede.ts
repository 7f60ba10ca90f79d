import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../lambda/database/pool.ts';
import type { OpenContender } from './contenders/contender.ts';
import type { StampedeRow } from './rows.ts';
import type { LibraryWorker } from './tasks.ts';

/** Callers of one process that read one missing key at the same moment. */
export interface Stampede {
  readonly key: string;
  readonly callers: number;
  /** On the wall clock, which the processes of a machine share. */
  readonly beginAt: number;
}

interface Contestant {
  readonly open: OpenContender;
  readonly url: string;
  readonly pool: Database;
}

const CALLERS = 100;
const LOAD_SECONDS = 0.1;
const TIME_TO_OPEN_MS = 500;

/** In the process of a contender: all callers at once. @returns how often the value was loaded. */
export async function joinStampede(
  { open, url, pool }: Contestant,
  { key, callers, beginAt }: Stampede,
): Promise<number> {
  let loads = 0;
  const load = async () => {
    loads += 1;
    const { rows } = await pool.query('SELECT pg_sleep($1), 42 AS answer', [LOAD_SECONDS]);
    return { answer: rows[0].answer };
  };
  const { read } = await open({ url, load });
  // Ready and known before it matters.
  await read(`${key}:before:${process.pid}`);
  loads = 0;
  await sleep(beginAt - Date.now());
  await Promise.all(Array.from({ length: callers }, () => read(key)));
  return loads;
}

/** Lets 100 callers miss one key at once, in one process or shared by two; the worst of all rounds. */
export async function benchStampede(workers: readonly LibraryWorker[], rounds: number): Promise<StampedeRow> {
  const loads: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const beginAt = Date.now() + TIME_TO_OPEN_MS;
    const key = `mocs:200:stampede-${beginAt}:0`;
    const callers = CALLERS / workers.length;
    const each = await Promise.all(
      workers.map((worker) => worker.ask('stampede', { key, callers, beginAt })),
    );
    loads.push(each.reduce((sum, count) => sum + count, 0));
  }
  return {
    case: workers.length === 1 ? 'stampede' : 'stampede-two-processes',
    library: workers[0]?.name ?? '',
    callers: CALLERS,
    loads: Math.max(...loads),
  };
}

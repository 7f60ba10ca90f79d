/** The process that sends the requests. Beside a handler in one process, each would wait for the other's work. */
import { Pool } from 'undici';
import { closedLoop } from '../closed-loop.ts';
import { serveTasks } from '../protocol.ts';
import { FLAGS, flagPath } from './paths.ts';

/** A while of reading flags. */
export interface ReadSlot {
  /** Of the server, without a path. */
  readonly url: string;
  readonly connections: number;
  readonly durationMs: number;
  /** What `x-cache` says of each answer; null where there is no such header. */
  readonly outcome: string | null;
}

export interface ReadResult {
  readonly requestsPerSecond: number;
  readonly p50Us: number;
  readonly p95Us: number;
  readonly p99Us: number;
}

/** What the process can be asked to do. */
export interface LoadTasks {
  /** @throws when what answered is not what should be measured. */
  read(slot: ReadSlot): Promise<ReadResult>;
}

/** A stall of the machine may let a deadline pass, which turns a hit into a query. */
const WRONG_SHARE = 0.01;

async function read({ url, connections, durationMs, outcome }: ReadSlot): Promise<ReadResult> {
  const pool = new Pool(url, { connections, pipelining: 1 });
  let wrong = 0;
  let example = '';
  const send = async (index: number) => {
    const { statusCode, headers, body } = await pool.request({ method: 'GET', path: flagPath(index) });
    const answer = await body.text();
    const { 'x-cache': answered = null } = headers;
    if (statusCode === 200 && answered === outcome) return;
    wrong += 1;
    example = `${statusCode} with x-cache: ${answered}: ${answer.slice(0, 200)}`;
  };
  try {
    // Every connection is open, and every flag in the cache, before the time begins.
    await Promise.all(Array.from({ length: Math.max(connections, FLAGS) }, (_, index) => send(index)));
    wrong = 0;
    const { count, perSecond, latencyUs } = await closedLoop({ inFlight: connections, durationMs, send });
    if (wrong > count * WRONG_SHARE) {
      throw new Error(
        `${wrong} of ${count} answers were not 200 with x-cache: ${outcome}, such as ${example}`,
      );
    }
    const [p50Us, p95Us, p99Us] = [latencyUs(0.5), latencyUs(0.95), latencyUs(0.99)];
    return { requestsPerSecond: perSecond, p50Us, p95Us, p99Us };
  } finally {
    await pool.destroy();
  }
}

serveTasks<LoadTasks>({ read });

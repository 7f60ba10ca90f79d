import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import type { Acknowledgement } from '../lambda/cache/cache.ts';
import type { Backend, Checker } from './checker.ts';
import { READ_SHARE, REQUESTS_PER_SECOND } from './options.ts';
import type { Population, Target } from './population.ts';
import type { Random } from './random.ts';
import type { Observation, Recorder } from './recorder.ts';

export interface Users {
  /** Sends no more requests, and resolves when the last one is answered or has taken too long. */
  stop(): Promise<void>;
  /** Rejects when the users themselves fail, never resolves. */
  readonly failure: Promise<never>;
}

export interface UsersOptions {
  readonly url: string;
  readonly population: Population;
  readonly checker: Checker;
  readonly recorder: Recorder;
  readonly random: Random;
  /** Told of the first answers that were 5xx. */
  readonly onError: (message: string) => void;
}

const MAX_TOLD_ERRORS = 3;
/** For the last answers, when the users stop. */
const PATIENCE_MS = 2000;
const TICK_MS = 5;
/** Beyond that the backends cannot keep up, and waiting users would only hide it: requests are left out. */
const MAX_IN_FLIGHT = 200;
const ITEMS_PER_LIST = 6;
const DELETE_SHARE = 0.1;

/** Users who read and write their lists at a paced rate, each answer checked and recorded. */
export function startUsers({ url, population, checker, recorder, random, onError }: UsersOptions): Users {
  const dispatcher = new Agent({ connections: 64 });
  const inFlight = new Set<Promise<void>>();
  let stopped = false;
  let fail: (error: unknown) => void = () => {};
  const failure = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failure.catch(() => {});

  const ask = async (target: Target, action: Action): Promise<void> => {
    const { userId, collection } = target.owner;
    const device = target.devices[random() < 0.5 ? 0 : 1];
    const path = `/api/users/${userId}/${collection}${action.method === 'GET' ? '' : `/${action.item}`}`;
    const pending = action.method === 'GET' ? checker.begin(target.key) : undefined;
    const start = performance.now();
    const answer = await request(url + path, {
      dispatcher,
      method: action.method,
      headers: { 'x-device': device.name, ...(action.body && { 'content-type': 'application/json' }) },
      body: action.body ?? null,
    });
    const text = await answer.body.text();
    const backend = answer.headers['x-backend'] as Backend;
    const cache = answer.headers['x-cache'] as Observation['cache'];
    recorder.record({ backend, status: answer.statusCode, latencyMs: performance.now() - start, cache });
    if (answer.statusCode !== 200) {
      // Two devices may delete one item: the second one is told so.
      if (answer.statusCode === 404 && action.method === 'DELETE') return;
      if (answer.statusCode >= 500) {
        if (recorder.errors5xx <= MAX_TOLD_ERRORS)
          onError(`${action.method} ${path}: ${answer.statusCode} by ${backend}: ${text}`);
        return;
      }
      throw new Error(
        `rehearse: ${action.method} ${path} was answered ${answer.statusCode} by ${backend}: ${text}`,
      );
    }
    const { version } = JSON.parse(text) as { version: number };
    const acknowledgement = answer.headers['x-invalidation'] as Acknowledgement;
    // A checker that is told nothing finds nothing.
    const complete = Number.isInteger(version) && (pending ? cache : acknowledgement) !== undefined;
    if (!complete)
      throw new Error(
        `rehearse: ${action.method} ${path} was answered by ${backend} without version, x-cache or x-invalidation: ${text}`,
      );
    if (pending) checker.end(pending, { version, backend });
    else {
      checker.acknowledged(target.key, { version, backend, acknowledgement });
    }
  };

  const run = async () => {
    const begin = performance.now();
    for (let sent = 0; !stopped; ) {
      const due = Math.floor(((performance.now() - begin) / 1000) * REQUESTS_PER_SECOND);
      for (; sent < due; sent += 1) {
        if (inFlight.size >= MAX_IN_FLIGHT) continue;
        const one = ask(population.next(random), chooseAction(random)).catch(fail);
        inFlight.add(one);
        void one.finally(() => inFlight.delete(one));
      }
      await sleep(TICK_MS);
    }
  };
  const running = run();

  return {
    failure,
    async stop() {
      stopped = true;
      await running;
      await Promise.race([Promise.all(inFlight), sleep(PATIENCE_MS, undefined, { ref: false })]);
      await dispatcher.destroy();
    },
  };
}

interface Action {
  readonly method: 'GET' | 'PUT' | 'DELETE';
  readonly item?: string;
  readonly body?: string;
}

function chooseAction(random: Random): Action {
  if (random() < READ_SHARE) return { method: 'GET' };
  const item = `item-${Math.floor(random() * ITEMS_PER_LIST)}`;
  if (random() < DELETE_SHARE) return { method: 'DELETE', item };
  const data = {
    title: `Title ${Math.floor(random() * 1e6)}`,
    tags: ['rehearsal'],
    price: Math.floor(random() * 100),
  };
  return { method: 'PUT', item, body: JSON.stringify({ data }) };
}

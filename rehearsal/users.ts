import { setTimeout as sleep } from 'node:timers/promises';
import type { Acknowledgement } from '../lambda/cache/cache.ts';
import { createAsking, unexpected } from './ask.ts';
import type { Checker } from './checker.ts';
import { READ_SHARE, REQUESTS_PER_SECOND, SESSION_REQUESTS_PER_SECOND } from './options.ts';
import type { Population, Target } from './population.ts';
import type { Random } from './random.ts';
import type { Recorder } from './recorder.ts';
import type { SessionChecker } from './session-checker.ts';
import { createUserSessions } from './user-sessions.ts';

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
  readonly sessionChecker: SessionChecker;
  readonly recorder: Pick<Recorder, 'record' | 'errors5xx'>;
  readonly random: Random;
  /** Of the requests about sessions. */
  readonly sessionRandom: Random;
  /** Told of the first answers that were 5xx. */
  readonly onError: (message: string) => void;
}

/** For the last answers, when the users stop. */
const PATIENCE_MS = 2000;
const TICK_MS = 5;
/** Beyond that the backends cannot keep up, and waiting users would only hide it: requests are left out. */
const MAX_IN_FLIGHT = 400;
const ITEMS_PER_LIST = 6;
const DELETE_SHARE = 0.1;

/**
 * Users who read and write their lists at a paced rate, each answer checked and recorded. Each logs in once, and all of its requests
 * carry the cookie, to whichever backend; now and then one looks at its session, or logs out and in again.
 */
export function startUsers(options: UsersOptions): Users {
  const { population, checker, sessionChecker, random, sessionRandom } = options;
  const asking = createAsking(options);
  const sessions = createUserSessions({ ask: asking.ask, checker: sessionChecker, random: sessionRandom });
  const inFlight = new Set<Promise<void>>();
  const waiting = new Map<string, number>();
  // A share each: devices whose backend hangs leave the others theirs.
  const maxOfDevice = Math.max(2, Math.floor(MAX_IN_FLIGHT / population.devices.length));
  let stopped = false;
  let fail: (error: unknown) => void = () => {};
  const failure = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failure.catch(() => {});

  const askForList = async (
    device: string,
    target: Target,
    { method, item, body }: Action,
  ): Promise<void> => {
    const { userId, collection } = target.owner;
    const path = `/api/users/${userId}/${collection}${method === 'GET' ? '' : `/${item}`}`;
    const headers = await sessions.cookieOf(target);
    const question = { device, method, path, headers, body };
    const pending = method === 'GET' ? checker.begin(target.key) : undefined;
    const answer = await asking.ask(question);
    const { status, backend, cache } = answer;
    if (status !== 200) {
      // Two devices may delete one item: the second one is told so.
      if (status === 404 && method === 'DELETE') return;
      if (status >= 500) return;
      throw unexpected(question, answer);
    }
    const { version } = JSON.parse(answer.text) as { version: number };
    const acknowledgement = answer.header('x-invalidation') as Acknowledgement;
    // A checker that is told nothing finds nothing.
    const complete = Number.isInteger(version) && (pending ? cache : acknowledgement) !== undefined;
    if (!complete) throw unexpected(question, answer, ' without version, x-cache or x-invalidation');
    if (pending) checker.end(pending, { version, backend });
    else {
      checker.acknowledged(target.key, { version, backend, acknowledgement });
    }
  };

  const begin = (work: () => Promise<void>) => {
    if (inFlight.size >= MAX_IN_FLIGHT) return;
    const one = work().catch(fail);
    inFlight.add(one);
    void one.finally(() => inFlight.delete(one));
  };

  const beginOn = (device: string, work: () => Promise<void>) => {
    const others = waiting.get(device) ?? 0;
    if (others >= maxOfDevice) return;
    begin(async () => {
      waiting.set(device, others + 1);
      await work().finally(() => waiting.set(device, (waiting.get(device) ?? 1) - 1));
    });
  };

  const run = async () => {
    const began = performance.now();
    const due = (perSecond: number) => Math.floor(((performance.now() - began) / 1000) * perSecond);
    let [lists, turns] = [0, 0];
    while (!stopped) {
      for (const now = due(REQUESTS_PER_SECOND); lists < now; lists += 1) {
        const target = population.next(random);
        const device = target.devices[random() < 0.5 ? 0 : 1].name;
        const action = chooseAction(random);
        beginOn(device, () => askForList(device, target, action));
      }
      for (const now = due(SESSION_REQUESTS_PER_SECOND); turns < now; turns += 1) {
        begin(() => sessions.turn(population.next(sessionRandom)));
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
      await asking.close();
    },
  };
}

interface Action {
  readonly method: 'GET' | 'PUT' | 'DELETE';
  readonly item?: string | undefined;
  readonly body?: string | undefined;
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

import fc, { type RunDetails, type Scheduler } from 'fast-check';
import { createKeyspace } from '../../../lambda/cache/keyspace.ts';
import type { Phase } from '../../../lambda/cache/phase.ts';
import { createInstance, createLegacy } from './backends.ts';
import { createChecker } from './checker.ts';
import { createRow } from './database.ts';
import type { Departure } from './departures.ts';
import { ENV } from './legacy-client.ts';
import type { Servers } from './servers.ts';
import { type BackendName, type Pace, perform, type Round, roundsArbitrary } from './steps.ts';
import { inTurns } from './time.ts';
import { createTurns, type Turns } from './turns.ts';
import { createWire } from './wire.ts';

/** The connections that a schedule uses: one a backend, and one of nobody's. */
export const CONNECTIONS = ['a', 'b', 'legacy', 'nobody'] as const;

/** Which phases may run at once, during a canary or a rollback. */
const PAIRS: readonly (readonly [Phase, Phase])[] = [
  ['legacy', 'legacy'],
  ['legacy', 'isolated'],
  ['isolated', 'isolated'],
  ['legacy', 'dual'],
  ['dual', 'dual'],
  ['dual', 'prefixed'],
  ['prefixed', 'prefixed'],
];

/** What fast-check draws: the order of turns, the phases, and the steps. */
export type Drawn = [scheduler: Scheduler, phases: readonly [Phase, Phase], rounds: Round[]];

export interface Schedules {
  readonly servers: Servers;
  readonly departure: Departure;
  readonly seed: number;
  /** How many to run; the search ends at the first that fails. */
  readonly schedules: number;
  /** The one of a seed to run, as fast-check names it. */
  readonly path?: string;
}

/** Runs schedules until one has a stale read, a request that never ends, or an error. */
export function check({ servers, departure, seed, schedules, path }: Schedules): Promise<RunDetails<Drawn>> {
  const property = fc.asyncProperty(
    fc.scheduler(),
    fc.constantFrom(...(departure.phases ?? PAIRS)),
    roundsArbitrary({ loses: departure.loses ?? [], backends: departure.backends }),
    (...drawn) => runSchedule({ servers, departure }, drawn),
  );
  return fc.check<Drawn>(property, {
    seed,
    numRuns: schedules,
    endOnFailure: true,
    ...(path !== undefined && { path }),
  });
}

async function runSchedule(
  { servers, departure }: Pick<Schedules, 'servers' | 'departure'>,
  [scheduler, phases, rounds]: Drawn,
): Promise<void> {
  const turns = createTurns(scheduler);
  const key = `mocs:user:${servers.newUser()}:list`;
  let pace: Pace = { a: 0, b: 0, legacy: 0, database: 0 };
  const takeAtPaceOf =
    (name: keyof Pace): Turns['takeAfter'] =>
    (others, label, step) =>
      turns.takeAfter(others + pace[name], label, step);
  const rowOf = createRow(servers.database, { key, takeAfter: takeAtPaceOf('database') });
  const wireOf = (name: BackendName) =>
    createWire(name, { execute: servers.send(name), takeAfter: takeAtPaceOf(name) });
  const wires = { a: wireOf('a'), b: wireOf('b'), legacy: wireOf('legacy') };
  const optionsOf = (name: BackendName) => ({ key, row: rowOf(name), send: wires[name].send, departure });
  const [first, second] = phases;
  const backends = {
    a: createInstance([first, second], optionsOf('a')),
    b: createInstance([second, first], optionsOf('b')),
    legacy: createLegacy(servers.legacyClient, optionsOf('legacy')),
  };
  const checker = createChecker();
  const requests: Promise<void>[] = [];
  let ended = 0;

  await inTurns(turns, async (time) => {
    const world = {
      backends,
      wires,
      checker,
      time,
      places: createKeyspace({ phase: first, env: ENV }).locate(key),
      send: servers.send('nobody'),
      async restart() {
        await time.real(servers.restart);
        for (const wire of Object.values(wires)) wire.cut();
      },
      request(work: () => Promise<void>) {
        requests.push(
          work().finally(() => {
            ended += 1;
          }),
        );
      },
    };
    for (const { without, before, mishaps, race, after, pace: drawn } of rounds) {
      for (const place of without) await perform({ step: 'evict', place }, world);
      for (const step of before) {
        await perform(step, world);
        await turns.all();
      }
      for (const step of mishaps) await perform(step, world);
      pace = drawn;
      for (const { start, giveWay } of race) {
        turns.takeAfter(giveWay, Object.values(start).join(' '), () => perform(start, world));
      }
      await turns.all();
      for (const by of after) await perform({ step: 'read', by }, world);
      await turns.all();
    }
  });
  if (ended < requests.length) throw new Error(`model: ${requests.length - ended} requests never ended`);
  await Promise.all(requests);
  checker.verify();
}

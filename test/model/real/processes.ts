import type { Phase } from '../../../lambda/cache/phase.ts';
import { createInstance, createLegacy, type Instance, updateBare } from './backends.ts';
import { createChecker } from './checker.ts';
import { createRowLock, LOAD } from './database.ts';
import type { Departure } from './departures.ts';
import { createDispatcher } from './dispatcher.ts';
import type { Pace } from './drawing.ts';
import { type Life, startLife } from './life.ts';
import { EPOCH, keyspaceOf, subjectOf } from './registry.ts';
import { loadRow } from './rows.ts';
import type { Connection, Servers } from './servers.ts';
import type { InstanceName, World } from './steps.ts';
import type { Time } from './time.ts';
import type { Turns } from './turns.ts';
import { createMishaps, createWire } from './wire.ts';

/** Who takes part in a schedule. */
export interface Processes {
  readonly user: string;
  setPace(pace: Pace): void;
  worldIn(time: Time): World;
  /** @throws StaleReadError; what a request threw; an error for a request that never ended. */
  verify(): Promise<void>;
}

export interface ProcessesOptions {
  readonly servers: Servers;
  readonly departure: Departure;
  readonly turns: Turns;
  readonly phases: readonly [Phase, Phase];
}

const NO_PACE: Pace = { a: 0, b: 0, legacy: 0, others: 0, database: 0 };

type Name = 'a' | 'b' | 'legacy' | 'others';

const each = <T>(make: (name: Name) => T): Record<Name, T> => ({
  a: make('a'),
  b: make('b'),
  legacy: make('legacy'),
  others: make('others'),
});

/** Starts them, each with a gate that is open. */
export async function createProcesses(options: ProcessesOptions): Promise<Processes> {
  const { servers, departure, turns, phases } = options;
  const subject = subjectOf(servers.newUser());
  const checker = createChecker();
  const rowLock = createRowLock();
  const pool = departure.database?.(servers.database) ?? servers.database;
  let pace = NO_PACE;
  let begun = false;
  const takeAtPaceOf =
    (name: keyof Pace): Turns['takeAfter'] =>
    (others, label, step) =>
      turns.takeAfter(others + pace[name], label, step);
  const mishaps = each(createMishaps);
  const wireOf = (name: Name, connection: Connection) =>
    createWire(connection === name ? name : `${name} (${connection})`, {
      execute: servers.send(connection),
      takeAfter: takeAtPaceOf(name),
      mishaps: mishaps[name],
    });
  const wires = each((name) => wireOf(name, name));
  const freshWires = each((name) => wireOf(name, 'fresh'));
  /** After how many turns a process dies once it has committed. */
  const dying = new Map<Name, number>();

  const start = (name: Name): Life =>
    startLife({
      name,
      pool,
      rowLock,
      takeAfter: takeAtPaceOf('database'),
      wire: wires[name],
      freshWire: freshWires[name],
      // What a process asks at first takes no turns.
      send: (command) => (begun ? wires[name].send : servers.send(name))(command),
      onCommit(isAlive) {
        const others = dying.get(name);
        dying.delete(name);
        if (others === undefined) return;
        turns.takeAfter(others, `${name} dies`, () => (isAlive() ? replace(name) : undefined));
      },
    });

  const lives = each(start);
  const [first, second] = phases;
  const instanceOf = (name: InstanceName): Instance =>
    createInstance(name === 'a' ? [first, second] : [second, first], { subject, departure, ...lives[name] });
  const backends = {
    a: instanceOf('a'),
    b: instanceOf('b'),
    legacy: createLegacy(servers.legacyClient, { subject, departure, ...lives.legacy }),
  };
  const dispatcher = createDispatcher({
    departure,
    send: lives.others.send,
    database: lives.others.database.pool,
  });

  const replace = async (name: Name) => {
    if (name !== 'a' && name !== 'b') return;
    await lives[name].die();
    lives[name] = start(name);
    backends[name] = instanceOf(name);
    void backends[name].connected();
  };

  await Promise.all([backends.a.connected(), backends.b.connected(), dispatcher.connected()]);
  begun = true;

  const requests: Promise<void>[] = [];
  let ended = 0;
  const { invalidation, namespaced } = keyspaceOf(first).locate(subject.list);
  const places = [...invalidation, ...keyspaceOf(first).locate(subject.view).namespaced, EPOCH + subject.tag];

  return {
    user: subject.user,
    setPace(drawn) {
      pace = drawn;
    },
    worldIn: (time) => ({
      backends,
      checker,
      time,
      places,
      namespaced,
      send: servers.send('nobody'),
      snapshot: servers.snapshot,
      async restart() {
        await time.real(servers.restart);
        for (const wire of [...Object.values(wires), ...Object.values(freshWires)]) wire.cut();
        for (const each of [backends.a, backends.b, dispatcher]) void each.connected();
        servers.legacyClient.connected();
      },
      lose: (by, loss) => mishaps[by].losses.add(loss),
      pause: (by, pause) =>
        (pause.command === LOAD ? lives[by].database.pauses : mishaps[by].pauses).add(pause),
      dieAfterCommit: (by, others) => dying.set(by, others),
      psql: () => updateBare(lives.others.database, subject.user),
      committed: () => loadRow(servers.database, subject.user),
      dispatch: dispatcher.pass,
      request(by, work) {
        const count = () => {
          ended += 1;
        };
        requests.push(Promise.race([work(), lives[by].died]).finally(count));
      },
    }),
    async verify() {
      await servers.tidy(places);
      if (ended < requests.length) throw new Error(`model: ${requests.length - ended} requests never ended`);
      await Promise.all(requests);
      checker.verify();
    },
  };
}

import { AsyncResource } from 'node:async_hooks';
import fc, { type Arbitrary } from 'fast-check';
import type { PhysicalKey } from '../../../lambda/cache/keyspace.ts';
import type { Send } from '../../../lambda/cache/redis-store.ts';
import type { Backend, Instance, Legacy } from './backends.ts';
import type { Checker } from './checker.ts';
import type { Time } from './time.ts';
import type { Fate, Loss, Pause, Wire } from './wire.ts';

const INSTANCES = ['a', 'b'] as const;
const BACKENDS = [...INSTANCES, 'legacy'] as const;
export type InstanceName = (typeof INSTANCES)[number];
export type BackendName = (typeof BACKENDS)[number];

/** What a schedule consists of: each step begins in its turn, and what it started goes on in turns of its own. */
export type Step =
  | { readonly step: 'read' | 'write'; readonly by: BackendName }
  | { readonly step: 'modify' }
  /** One of the key's places goes, as an index into the order of an invalidation. */
  | { readonly step: 'expire' | 'evict'; readonly place: number }
  /** What a flush before a stage removes: the namespaced keys. */
  | { readonly step: 'flush' }
  | { readonly step: 'phase'; readonly of: InstanceName }
  | ({ readonly step: 'lose'; readonly by: BackendName } & Loss)
  | ({ readonly step: 'pause'; readonly by: BackendName } & Pause)
  | { readonly step: 'time'; readonly ms: number }
  /** Redis is killed and comes back empty. */
  | { readonly step: 'restart' };

/** What the steps are done to. */
export interface World {
  readonly backends: { readonly a: Instance; readonly b: Instance; readonly legacy: Legacy };
  readonly wires: Readonly<Record<BackendName, Wire>>;
  readonly checker: Checker;
  readonly places: {
    readonly invalidation: readonly PhysicalKey[];
    readonly namespaced: readonly PhysicalKey[];
  };
  readonly time: Time;
  /** A connection of nobody's, without turns. */
  readonly send: Send;
  readonly restart: () => Promise<void>;
  /** Runs a request; the schedule ends when all have. */
  readonly request: (work: () => Promise<void>) => void;
}

/** How often each turn of a connection gives way: the slow one may be paused while the others do all that they can. */
export type Pace = Readonly<Record<BackendName | 'database', number>>;

/**
 * A part of a schedule: it brings about a state, lets a few steps race, and then reads, so that what the race has left
 * behind is found.
 */
export interface Round {
  /** Which of the key's places are removed first, as indexes into the order of an invalidation. */
  readonly without: readonly number[];
  /** Who reads then, one after the other. */
  readonly before: readonly Step[];
  readonly mishaps: readonly Step[];
  readonly pace: Pace;
  /** All at once, but that some give way so often before they begin. */
  readonly race: readonly { readonly start: Step; readonly giveWay: number }[];
  /** Who reads in the end: whoever takes part. */
  readonly after: readonly BackendName[];
}

const PLACES = [0, 1, 2, 3];
const kind = <Name extends Step['step']>(...names: Name[]) => fc.constantFrom(...names);

export interface Drawing {
  /** The commands whose replies are lost, by name and as often as they are named. */
  readonly loses: readonly string[];
  /** Who takes part, where that is not drawn. */
  readonly backends?: readonly BackendName[] | undefined;
}

/**
 * The rounds of a schedule. Each schedule draws which backends take part, since a race is found sooner where little
 * else happens (swarm testing: Groce et al., ISSTA 2012), and each round who is slow, since most races need few
 * changes from one process to another (Burckhardt et al., ASPLOS 2010).
 */
export function roundsArbitrary({ loses, backends: given }: Drawing): Arbitrary<Round[]> {
  const taking = given ? fc.constant([...given]) : fc.subarray([...BACKENDS], { minLength: 1 });
  return taking.chain((backends) => {
    const by = fc.constantFrom(...backends);
    const read = fc.record({ step: kind('read'), by });
    const vanish = fc.record({ step: kind('expire', 'evict'), place: fc.constantFrom(...PLACES) });
    const flush = fc.record({ step: kind('flush') });
    const phase = fc.record({ step: kind('phase'), of: fc.constantFrom(...INSTANCES) });
    const time = fc.record({ step: kind('time'), ms: fc.constantFrom(50, 150, 600) });
    const pace = fc.constantFrom(0, 0, 0, 6);
    const giveWay = fc.oneof(fc.constant(0), fc.nat(30));
    const start = fc.oneof(
      { weight: 800, arbitrary: read },
      { weight: 600, arbitrary: fc.record({ step: kind('write'), by }) },
      { weight: backends.includes('legacy') ? 400 : 0, arbitrary: fc.record({ step: kind('modify') }) },
      { weight: 250, arbitrary: vanish },
      { weight: 50, arbitrary: flush },
      { weight: 50, arbitrary: phase },
      { weight: 50, arbitrary: time },
      // As long as three schedules.
      { weight: 3, arbitrary: fc.record({ step: kind('restart') }) },
    );
    const pause = fc.record({
      step: kind('pause'),
      by,
      after: fc.nat(6),
      others: fc.integer({ min: 8, max: 40 }),
    });
    const mishap = fc.oneof(
      { weight: 1, arbitrary: pause },
      ...(loses.length > 0 ? [{ weight: 1, arbitrary: lossArbitrary(by, loses) }] : []),
    );
    const few = <T>(arbitrary: Arbitrary<T>, minLength: number, maxLength: number) =>
      fc.array(arbitrary, { minLength, maxLength, size: 'max' });
    return few(
      fc.record({
        without: fc.subarray(PLACES),
        before: few(read, 0, 1),
        mishaps: few(mishap, 0, 4),
        after: fc.constant(backends),
        pace: fc.record({ a: pace, b: pace, legacy: pace, database: pace }),
        race: few(fc.record({ start, giveWay }), 2, 6),
      }),
      1,
      3,
    );
  });
}

function lossArbitrary(by: Arbitrary<BackendName>, commands: readonly string[]): Arbitrary<Step> {
  return fc.record({
    step: kind('lose'),
    by,
    command: fc.constantFrom(...commands),
    after: fc.nat(2),
    fate: fc.constantFrom<Fate[]>('late', 'late', 'never'),
    others: fc.nat(30),
  });
}

/** Does a step in its turn. */
export async function perform(step: Step, world: World): Promise<void> {
  const { backends, checker, places, send } = world;
  const request = (work: () => Promise<void>) => {
    // Its own asynchronous context, as a request to a server has one.
    new AsyncResource('request').runInAsyncScope(() => world.request(work));
  };
  const acknowledge = (version: number | undefined) => {
    if (version !== undefined) checker.acknowledged(version);
  };
  switch (step.step) {
    case 'read': {
      const returned = checker.readBegins(step.by);
      return request(async () => returned(await (backends[step.by] as Backend).read()));
    }
    case 'write':
      return request(async () => acknowledge(await backends[step.by].write()));
    case 'modify':
      return request(async () => acknowledge(await backends.legacy.modify()));
    case 'expire':
      await send(['PEXPIRE', places.invalidation[step.place] ?? '', '0']);
      return;
    case 'evict':
      await send(['UNLINK', places.invalidation[step.place] ?? '']);
      return;
    case 'flush':
      await send(['UNLINK', ...places.namespaced]);
      return;
    case 'phase':
      return backends[step.of].changePhase();
    case 'lose':
      return world.wires[step.by].lose(step);
    case 'pause':
      return world.wires[step.by].pause(step);
    case 'time':
      return world.time.pass(step.ms);
    case 'restart':
      await world.restart();
      return;
  }
}

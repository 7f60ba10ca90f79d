import { AsyncResource } from 'node:async_hooks';
import fc, { type Arbitrary } from 'fast-check';
import type { PhysicalKey } from '../../../lambda/cache/keyspace.ts';
import type { Send } from '../../../lambda/cache/redis-store.ts';
import type { Backend, Instance, Legacy } from './backends.ts';
import type { Checker } from './checker.ts';
import type { Time } from './time.ts';
import type { Fate, Wire } from './wire.ts';

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
  | { readonly step: 'lose'; readonly by: BackendName; readonly command: string; readonly fate: Fate }
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

/** In thousandths, about. Restarts are rare because each takes as long as three schedules. */
const WEIGHTS: Readonly<Record<Step['step'], number>> = {
  read: 480,
  write: 200,
  modify: 60,
  expire: 40,
  evict: 40,
  flush: 20,
  phase: 30,
  lose: 120,
  time: 20,
  restart: 1,
};

const PLACES = 4;
const by = fc.constantFrom(...BACKENDS);
const arbitraries: { readonly [Name in Step['step']]: Arbitrary<Step> } = {
  read: fc.record({ step: fc.constant('read'), by }),
  write: fc.record({ step: fc.constant('write'), by }),
  modify: fc.record({ step: fc.constant('modify') }),
  expire: fc.record({ step: fc.constant('expire'), place: fc.nat(PLACES - 1) }),
  evict: fc.record({ step: fc.constant('evict'), place: fc.nat(PLACES - 1) }),
  flush: fc.record({ step: fc.constant('flush') }),
  phase: fc.record({ step: fc.constant('phase'), of: fc.constantFrom(...INSTANCES) }),
  lose: fc.record({
    step: fc.constant('lose'),
    by,
    command: fc.constantFrom('SET', 'UNLINK', 'EVAL', 'GET'),
    fate: fc.constantFrom('late', 'never'),
  }),
  time: fc.record({ step: fc.constant('time'), ms: fc.constantFrom(50, 150, 600) }),
  restart: fc.record({ step: fc.constant('restart') }),
};

/** The steps of a schedule. */
export function stepsArbitrary({ faults }: { readonly faults: boolean }): Arbitrary<Step[]> {
  const kinds = Object.keys(arbitraries) as Step['step'][];
  const drawn = kinds.filter((kind) => faults || kind !== 'lose');
  const step = fc.oneof(...drawn.map((kind) => ({ weight: WEIGHTS[kind], arbitrary: arbitraries[kind] })));
  return fc.array(step, { minLength: 4, maxLength: 24, size: 'max' });
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
      return world.wires[step.by].lose(step.command, step.fate);
    case 'time':
      return world.time.pass(step.ms);
    case 'restart':
      await world.restart();
      return;
  }
}

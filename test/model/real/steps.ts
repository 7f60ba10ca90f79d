import { AsyncResource } from 'node:async_hooks';
import type { Send } from '../../../lambda/cache/redis-store.ts';
import { REPLAYED } from '../../../lambda/cache/replay-gate.ts';
import type { Instance, Legacy } from './backends.ts';
import type { Checker } from './checker.ts';
import { type Cached, type Named, OUTDATED } from './registry.ts';
import type { Committed } from './rows.ts';
import type { Time } from './time.ts';
import type { Loss, Pause } from './wire.ts';

export const INSTANCES = ['a', 'b'] as const;
export const BACKENDS = [...INSTANCES, 'legacy'] as const;
export type InstanceName = (typeof INSTANCES)[number];
export type BackendName = (typeof BACKENDS)[number];

/** What a schedule consists of: each step begins in its turn, and what it started goes on in turns of its own. */
export type Step =
  | { readonly step: 'read'; readonly by: BackendName; readonly cached: Cached }
  | { readonly step: 'write'; readonly by: BackendName; readonly named: Named }
  | { readonly step: 'modify' }
  /** Somebody writes the row who knows of no cache: a session of psql, or a process that died after its commit. */
  | { readonly step: 'psql' }
  /** A pass of the dispatcher. */
  | { readonly step: 'dispatch' }
  /** The key's place goes, as an index into the order of an invalidation; the view, or its epoch. */
  | { readonly step: 'expire' | 'evict'; readonly place: number }
  /** What a flush before a stage removes: the namespaced keys. */
  | { readonly step: 'flush' }
  | { readonly step: 'phase'; readonly of: InstanceName }
  | ({ readonly step: 'lose'; readonly by: BackendName } & Loss)
  | ({ readonly step: 'pause'; readonly by: BackendName } & Pause)
  /** Its process is killed so many turns after its next COMMIT, and another takes its place. */
  | { readonly step: 'die'; readonly by: InstanceName; readonly after: number }
  | { readonly step: 'time'; readonly ms: number }
  /** Somebody removes the mark of a replay. */
  | { readonly step: 'unmark' }
  | { readonly step: 'snapshot' }
  /** Redis is killed and comes back from the last snapshot of the schedule, or empty. */
  | { readonly step: 'restart' };

/** What the steps are done to. */
export interface World {
  readonly backends: { readonly a: Instance; readonly b: Instance; readonly legacy: Legacy };
  readonly checker: Checker;
  /** What can vanish, the places of the list first. */
  readonly places: readonly string[];
  readonly namespaced: readonly string[];
  readonly time: Time;
  /** A connection of nobody's, without turns. */
  readonly send: Send;
  readonly snapshot: () => Promise<void>;
  readonly restart: () => Promise<void>;
  readonly lose: (by: BackendName, loss: Loss) => void;
  readonly pause: (by: BackendName, pause: Pause) => void;
  readonly dieAfterCommit: (by: InstanceName, others: number) => void;
  readonly psql: () => Promise<unknown>;
  /** What is committed now, without turns. */
  readonly committed: () => Promise<Committed>;
  readonly dispatch: () => Promise<boolean>;
  /** Runs a request to a process; the schedule ends when all have, or their processes are gone. */
  readonly request: (by: BackendName | 'others', work: () => Promise<void>) => void;
}

/** Does a step in its turn. */
export async function perform(step: Step, world: World): Promise<void> {
  const { backends, checker, send } = world;
  const request: World['request'] = (by, work) => {
    // Its own asynchronous context, as a request to a server has one.
    new AsyncResource('request').runInAsyncScope(() => world.request(by, work));
  };
  const acknowledge = (named: Named, version: number | undefined) => {
    if (version !== undefined) for (const each of OUTDATED[named]) checker.acknowledged(each, version);
  };
  switch (step.step) {
    case 'read': {
      const { by, cached } = step;
      const returned = checker.readBegins(by, cached);
      return request(by, async () => returned(await backends[by].read(cached)));
    }
    case 'write': {
      const { by, named } = step;
      return request(by, async () => acknowledge(named, await backends[by].write(named)));
    }
    case 'modify':
      return request('legacy', async () => acknowledge('key', await backends.legacy.modify()));
    case 'psql':
      return request('others', async () => void (await world.psql()));
    case 'dispatch': {
      const { list, view } = await world.committed();
      return request('others', async () => {
        if (!(await world.dispatch())) return;
        checker.acknowledged('list', list);
        checker.acknowledged('view', view);
      });
    }
    case 'expire':
      await send(['PEXPIRE', world.places[step.place] ?? '', '0']);
      return;
    case 'evict':
      await send(['UNLINK', world.places[step.place] ?? '']);
      return;
    case 'flush':
      await send(['UNLINK', ...world.namespaced]);
      return;
    case 'phase':
      return backends[step.of].changePhase();
    case 'lose':
      return world.lose(step.by, step);
    case 'pause':
      return world.pause(step.by, step);
    case 'die':
      return world.dieAfterCommit(step.by, step.after);
    case 'time':
      return world.time.pass(step.ms);
    case 'unmark':
      await send(['UNLINK', REPLAYED]);
      return;
    case 'snapshot':
      return world.snapshot();
    case 'restart':
      return world.restart();
  }
}

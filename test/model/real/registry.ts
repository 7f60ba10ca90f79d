import { createKeyspace, type Keyspace } from '../../../lambda/cache/keyspace.ts';
import type { Phase } from '../../../lambda/cache/phase.ts';
import type { Family } from '../../../lambda/contract/families.ts';

/** The name in `cw:{env}:` of all processes of the schedules. */
export const ENV = 'test';

const cached = { kind: 'cache', onFlush: 'flush', ttlSeconds: 300 } as const;

/** The registry of the schedules: a list, and a view of it that only the serverless backend keeps, by a tag. */
export const FAMILIES: readonly Family[] = [
  { ...cached, name: 'lists', source: { table: 'lists', keyTemplate: 'lists:{user_id}' } },
  { ...cached, name: 'views', tagSources: [{ table: 'lists', tagTemplate: 'lists of {user_id}' }] },
];

const SPACES = new Map<Phase, Keyspace>();

/** One a phase for all schedules: it remembers what it has worked out, and nothing that happens. */
export function keyspaceOf(phase: Phase): Keyspace {
  const keyspace = SPACES.get(phase) ?? createKeyspace({ phase, env: ENV, families: FAMILIES });
  SPACES.set(phase, keyspace);
  return keyspace;
}

/** What a schedule is about: the one row of a user, and the names of what is cached of it. */
export interface Subject {
  readonly user: string;
  readonly list: string;
  readonly view: string;
  readonly tag: string;
}

export const subjectOf = (user: string): Subject => ({
  user,
  list: `lists:${user}`,
  view: `views:${user}`,
  tag: `lists of ${user}`,
});

/** What a read asks for. */
export const CACHED = ['list', 'view'] as const;
export type Cached = (typeof CACHED)[number];

/** What a write names as outdated: of the key follows the tag, of the tag not the key. */
export const NAMED = ['key', 'tag'] as const;
export type Named = (typeof NAMED)[number];

/** What is outdated for every backend once a write that named this is invalidated. */
export const OUTDATED: Readonly<Record<Named, readonly Cached[]>> = { key: ['list', 'view'], tag: ['view'] };

/** What the keys of epochs begin with. */
export const EPOCH = 'cutover:epoch:';

import type { PhysicalKey } from '../cache/keyspace.ts';
import type { StatePlaces } from './places.ts';
import type { StateRedis } from './state-redis.ts';

/** Adds ARGV to a set that is there, and makes none: one with a single member would look like all of them. */
const ADD = `
if redis.call('PTTL', KEYS[1]) == -2 then return 0 end
return redis.call('SADD', KEYS[1], unpack(ARGV))`;

/** Makes a set of ARGV from the second on that lives for ARGV[1] milliseconds, where none is. */
const FILL = `
if redis.call('PTTL', KEYS[1]) ~= -2 then return 0 end
redis.call('SADD', KEYS[1], unpack(ARGV, 2))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1`;

/** Not renewed: a set is made anew from the database at least so often. */
const TTL_MS = 60 * 60 * 1000;
/** Of more than this the database answers. */
export const MAX_MEMBERS = 1000;

/** What Redis says of a teacher's sessions; `unknown` where the database decides. */
export type KnownSessions =
  | { readonly kind: 'known'; readonly ids: readonly string[] }
  | { readonly kind: 'unknown' };

/**
 * The ids of a teacher's open classroom sessions, in the set `teacher_sessions:{teacherId}`. The truth is a table; a set is only
 * ever made of all of its rows, and then every change is repeated in each set that is there, so that each is complete.
 */
export interface TeacherSessions {
  /** The union of what all places have. */
  read(teacherId: string): Promise<KnownSessions>;
  /**
   * Makes the set of what the database has, where there is none.
   * @param load reads the database: asked once more afterwards, since what was changed meanwhile was changed in no set.
   */
  fill(teacherId: string, ids: readonly string[], load: () => Promise<readonly string[]>): Promise<void>;
  /** Repeats an added row in each set. @returns whether that was confirmed. */
  add(teacherId: string, id: string): Promise<boolean>;
  /** Repeats a removed row in each set. @returns whether that was confirmed. */
  remove(teacherId: string, id: string): Promise<boolean>;
}

export const teacherKey = (teacherId: string): string => `teacher_sessions:${teacherId}`;

export function createTeacherSessions(redis: StateRedis): TeacherSessions {
  const placesOf = (teacherId: string) => redis.locate(teacherKey(teacherId));

  const membersOf = async ({ family, read }: StatePlaces): Promise<string[] | undefined> => {
    const answers = await Promise.all(read.map((place) => redis.ask(family, ['SMEMBERS', place])));
    const sets = answers.flatMap((answer) => (typeof answer === 'object' ? [answer.reply as string[]] : []));
    return sets.length === answers.length ? [...new Set(sets.flat())] : undefined;
  };

  return {
    async read(teacherId) {
      const ids = await membersOf(placesOf(teacherId));
      return ids && ids.length > 0 ? { kind: 'known', ids } : { kind: 'unknown' };
    },
    async fill(teacherId, ids, load) {
      if (ids.length === 0 || ids.length > MAX_MEMBERS) return;
      const { family, write } = placesOf(teacherId);
      await Promise.all(
        write.map((place) => redis.ask(family, ['EVAL', FILL, '1', place, String(TTL_MS), ...ids])),
      );
      const present = await load();
      const [ended, added] = [without(ids, present), without(present, ids)];
      await Promise.all(
        write.flatMap((place) => [
          ended.length > 0 && redis.ask(family, removing(place, ended)),
          added.length > 0 && redis.ask(family, adding(place, added)),
        ]),
      );
    },
    add(teacherId, id) {
      const { family, everywhere } = placesOf(teacherId);
      return redis.say({ family, at: everywhere }, (place) => adding(place, [id]));
    },
    remove(teacherId, id) {
      const { family, everywhere } = placesOf(teacherId);
      return redis.say({ family, at: everywhere }, (place) => removing(place, [id]));
    },
  };
}

const adding = (place: PhysicalKey, ids: readonly string[]) => ['EVAL', ADD, '1', place, ...ids];
const removing = (place: PhysicalKey, ids: readonly string[]) => ['SREM', place, ...ids];
const without = (ids: readonly string[], others: readonly string[]) => {
  const known = new Set(others);
  return ids.filter((id) => !known.has(id));
};

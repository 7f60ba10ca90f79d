import type { PhysicalKey } from '../cache/keyspace.ts';
import { tombstoneOf } from '../cache/state-marks.ts';
import type { StatePlaces } from './places.ts';
import { type Entry, encodeEntry, entryTtlMs, readHeld } from './session-record.ts';
import type { StateRedis } from './state-redis.ts';

/**
 * Stores an entry unless what is there is as new, or a mark: ARGV[1] its version, ARGV[2] its bytes, ARGV[3] milliseconds,
 * ARGV[4] `present` where nothing is to be stored if nothing is there. Whatever no store of ours has written gives way.
 */
const STORE = `
local current = redis.call('GET', KEYS[1])
if current then
  local ok, seen = pcall(cjson.decode, current)
  if ok and type(seen) == 'table' then
    if seen.revoked or seen.barrier then return 0 end
    if type(seen.version) == 'number' and seen.version >= tonumber(ARGV[1]) then return 0 end
  end
elseif ARGV[4] == 'present' then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`;

/** Stores ARGV[2] for ARGV[3] milliseconds if the key still holds ARGV[1]. */
const REPLACE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`;

/** An entry that a place holds, byte for byte. */
export interface Found {
  readonly place: PhysicalKey;
  readonly bytes: string;
  readonly entry: Entry;
}

/** What Redis says of a session: `unknown` where the database decides. */
export type Verdict =
  | { readonly kind: 'live'; readonly newest: Entry; readonly found: readonly Found[] }
  | { readonly kind: 'revoked' }
  | { readonly kind: 'unknown' };

/** The entries of sessions in Redis. */
export interface SessionEntries {
  /** Asks all places: a tombstone wins over everything, a barrier over entries, and of these the newest. */
  read(places: StatePlaces): Promise<Verdict>;
  /** Puts an entry where this phase stores, except over one that is as new, a tombstone or a barrier. Never fails. */
  fill(places: StatePlaces, entry: Entry): Promise<void>;
  /** As `fill`, and where another phase may read an older entry, too. @returns whether no place has an older one any more. */
  replace(places: StatePlaces, entry: Entry): Promise<boolean>;
  /** Notes use in every place that still holds what was found. @returns whether this process was the first to. */
  touch(found: readonly Found[], entry: Entry): Promise<boolean>;
  /** Says everywhere that the session has ended, until it would have ended by itself. @returns whether that was confirmed. */
  bury(
    places: StatePlaces,
    ended: { readonly version: number; readonly expiresAtMs: number },
  ): Promise<boolean>;
}

export interface SessionEntriesOptions {
  readonly redis: StateRedis;
  /** The wall clock, in milliseconds. */
  readonly now: () => number;
}

export function createSessionEntries({ redis, now }: SessionEntriesOptions): SessionEntries {
  const storing = (place: PhysicalKey, entry: Entry, only: 'present' | 'any'): string[] => [
    ...['EVAL', STORE, '1', place, String(entry.version), encodeEntry(entry)],
    ...[String(entryTtlMs(entry, now())), only],
  ];
  const hasEnded = (entry: Pick<Entry, 'expiresAtMs'>) => entryTtlMs(entry, now()) <= 0;

  const fillAt = async (family: string, at: readonly PhysicalKey[], entry: Entry) => {
    if (hasEnded(entry)) return;
    await Promise.all(at.map((place) => redis.ask(family, storing(place, entry, 'any'))));
  };

  return {
    async read(places) {
      const looks = await redis.look(places);
      const found: Found[] = [];
      const marks = new Set<string>();
      for (const look of looks) {
        if (look.kind !== 'value') {
          if (look.kind !== 'absent') marks.add(look.kind);
          continue;
        }
        const held = readHeld(look.bytes);
        if (held.kind === 'foreign') redis.foundForeign(places.family);
        if (held.kind === 'live') found.push({ place: look.place, bytes: look.bytes, entry: held.entry });
        else marks.add(held.kind);
      }
      if (marks.has('revoked')) return { kind: 'revoked' };
      const newest = found.map(({ entry }) => entry).sort((a, b) => b.version - a.version)[0];
      if (marks.has('barred') || marks.has('foreign') || !newest) return { kind: 'unknown' };
      const outdated = looks
        .filter(({ kind }) => kind === 'value' || kind === 'absent')
        .map(({ place }) => place)
        .filter(
          (place) => !found.some((each) => each.place === place && each.entry.version === newest.version),
        );
      if (outdated.length > 0) await fillAt(places.family, outdated, newest);
      return { kind: 'live', newest, found: found.filter(({ entry }) => entry.version === newest.version) };
    },
    fill: ({ family, write }, entry) => fillAt(family, write, entry),
    async replace({ family, write, everywhere }, entry) {
      if (hasEnded(entry)) return true;
      return redis.say({ family, at: everywhere }, (place) =>
        storing(place, entry, write.includes(place) ? 'any' : 'present'),
      );
    },
    async touch(found, entry) {
      if (hasEnded(entry)) return false;
      const ttlMs = String(entryTtlMs(entry, now()));
      const replies = await Promise.all(
        found.map(({ place, bytes }) =>
          redis.ask('secure_session', ['EVAL', REPLACE, '1', place, bytes, encodeEntry(entry), ttlMs]),
        ),
      );
      const [first] = replies;
      return typeof first === 'object' && first.reply === 1;
    },
    bury({ family, everywhere }, { version, expiresAtMs }) {
      const ttlMs = Math.ceil(expiresAtMs - now());
      if (ttlMs <= 0) return Promise.resolve(true);
      return redis.say({ family, at: everywhere }, (place) => [
        ...['SET', place, tombstoneOf(version), 'PX', String(ttlMs)],
      ]);
    },
  };
}

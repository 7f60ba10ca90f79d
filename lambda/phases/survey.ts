import { type Family, familyNameOf, familyOf } from '../contract/families.ts';
import { prefixIn } from '../contract/namespaces.ts';
import type { RedisConnection } from '../redis/connection.ts';
import { pagesOf } from '../redis/scan.ts';

/** What one pass over all keys says of the un-prefixed ones, and of those of state under `cw:{env}:`. */
export interface KeySurvey {
  /** Of the sample of the cache families' un-prefixed keys: the longest time to live that is left, in milliseconds; 0 of none. */
  readonly longestTtlMs: number;
  /** How many such keys there are, how many were sampled, and how many of those never expire. */
  readonly legacyKeys: number;
  readonly sampled: number;
  readonly lasting: number;
  /** Keys of state that a backfill would carry, by the home that they are in: how many were sampled, and how many have no twin there. */
  readonly lackingPrefixed: Twins;
  readonly lackingLegacy: Twins;
}

export interface Twins {
  readonly sampled: number;
  readonly lacking: number;
  /** The families of those that lack one. */
  readonly families: readonly string[];
}

export interface SurveyOptions {
  readonly scanner: RedisConnection;
  readonly env: string;
  readonly families: readonly Family[];
  /** Keys of each kind. Default: 2000. */
  readonly sampleKeys?: number;
  /** When to give up, by `performance.now()`. */
  readonly endsAt: number;
}

const SAMPLE_KEYS = 2000;
const NOT_THERE = -2;
const NO_EXPIRY = -1;

/**
 * Passes over all keys once, and measures some of them, each with the same chance (Algorithm R: Vitter, "Random sampling with a
 * reservoir", 1985). The user needs SCAN and PTTL. @throws RangeError when time is up before every key was seen; what Redis answers.
 */
export async function surveyKeys(options: SurveyOptions): Promise<KeySurvey> {
  const { scanner, env, families, sampleKeys = SAMPLE_KEYS, endsAt } = options;
  const cw = prefixIn('prefixed', { kind: 'state' }, env);
  const bare = (key: string) => key.slice(cw.length);
  const [legacy, unprefixed, prefixed] = [
    reservoir(sampleKeys),
    reservoir(sampleKeys),
    reservoir(sampleKeys),
  ];
  for await (const page of pagesOf(scanner)) {
    if (performance.now() > endsAt) throw new RangeError('phase: time was up before every key was seen');
    for (const key of page) {
      const isPrefixed = key.startsWith(cw);
      const family = familyOf(isPrefixed ? bare(key) : key, families);
      if (family?.kind === 'cache' && !isPrefixed) legacy.add(key);
      // What has a switch of its own is counted in both homes, and carried by nobody.
      else if (family?.kind === 'state' && !family.phaseSwitch) (isPrefixed ? prefixed : unprefixed).add(key);
    }
  }
  const ttlsMs = await ttlsOf(scanner, legacy.keys);
  return {
    longestTtlMs: ttlsMs.reduce((longest, each) => Math.max(longest, each), 0),
    legacyKeys: legacy.seen,
    sampled: legacy.keys.length,
    lasting: ttlsMs.filter((each) => each === NO_EXPIRY).length,
    lackingPrefixed: await twinsOf(scanner, unprefixed.keys, {
      twinOf: (key) => cw + key,
      familyIn: familyNameOf,
    }),
    lackingLegacy: await twinsOf(scanner, prefixed.keys, {
      twinOf: bare,
      familyIn: (key) => familyNameOf(bare(key)),
    }),
  };
}

function reservoir(size: number) {
  const keys: string[] = [];
  let seen = 0;
  return {
    keys,
    get seen() {
      return seen;
    },
    add(key: string) {
      seen += 1;
      const place = keys.length < size ? keys.length : Math.floor(Math.random() * seen);
      if (place < size) keys[place] = key;
    },
  };
}

/** Few enough that all are answered within a command's deadline. */
const BATCH = 200;

async function ttlsOf({ send }: RedisConnection, keys: readonly string[]): Promise<number[]> {
  const ttls: number[] = [];
  for (let at = 0; at < keys.length; at += BATCH) {
    const replies = keys.slice(at, at + BATCH).map((key) => send(['PTTL', key]));
    ttls.push(...(await Promise.all(replies)).map(Number));
  }
  return ttls;
}

/** Of keys that are still there: which have no other one. */
async function twinsOf(
  scanner: RedisConnection,
  keys: readonly string[],
  { twinOf, familyIn }: { twinOf: (key: string) => string; familyIn: (key: string) => string },
): Promise<Twins> {
  const twins = await ttlsOf(scanner, keys.map(twinOf));
  const suspects = keys.filter((_, index) => twins[index] === NOT_THERE);
  const own = await ttlsOf(scanner, suspects);
  const lacking = suspects.filter((_, index) => own[index] !== NOT_THERE);
  return { sampled: keys.length, lacking: lacking.length, families: [...new Set(lacking.map(familyIn))] };
}

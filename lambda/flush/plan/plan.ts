import { createKeyspace } from '../../cache/keyspace.ts';
import { ConfigurationError } from '../../contract/errors.ts';
import { FAMILIES, type Family, patternOf } from '../../contract/families.ts';
import { beginsWith } from '../begins-with.ts';
import { globToRegExp } from './glob.ts';
import { type BytesMatcher, compileGlob } from './glob-bytes.ts';
import { matchesEverything, requirePattern } from './pattern.ts';

/** What a flush does with a key. */
export type Fate = 'flush' | 'preserve' | 'leave';

/** The keys of one pattern, or those that none of them matches. */
export interface KeyClass {
  /** As Redis reads it; undefined for what no pattern matches. */
  readonly pattern: string | undefined;
  readonly fate: Fate;
}

/** What the runtime itself keeps: whatever the patterns, it stays. */
const OWN = 'cutover:*';

/** Which keys go and which stay; pure. */
export interface FlushPlan {
  readonly env: string;
  /** Patterns of logical keys, as Redis reads them. */
  readonly flush: readonly string[];
  readonly preserve: readonly string[];
  /** Where keys are flushed: all namespaces in use and none, or the one that was asked for. */
  readonly namespaces: readonly string[];
  readonly classes: readonly KeyClass[];
  /** The class of the key that is in these bytes, by its number in `classes`. */
  classify: (bytes: Uint8Array, start: number, end: number) => number;
  /** The second look at a key that is due, by other means than the first; the key as Latin-1. */
  isDue(key: string): boolean;
}

export interface PlanOptions {
  /** The name in `cw:{env}:`, by convention `NODE_ENV`. */
  readonly env: string;
  /** Only the keys in this namespace, `v2:`, or with '' in none: for a way back that leaves the legacy backend its cache. */
  readonly onlyNamespace?: string;
  /** Instead of the patterns of the registry's flushed families. */
  readonly patterns?: readonly string[] | undefined;
  /** Beside the patterns of the registry's preserved families. */
  readonly preserve?: readonly string[] | undefined;
  /** Whether patterns that match everything are meant. */
  readonly everything?: boolean | undefined;
  /** Default: the registry's. */
  readonly families?: readonly Family[];
}

/**
 * The plan of the registry: its families, in every namespace and without one. A preserved key stays, whatever else matches it.
 * A pattern is that of a logical key, or of the key as Redis stores it.
 * @throws ConfigurationError for a pattern that cannot be, and for patterns that would empty the keyspace.
 */
export function planFlush(options: PlanOptions): FlushPlan {
  const { env, onlyNamespace, families = FAMILIES } = options;
  const ofFamilies = (wanted: Fate) => families.filter(({ onFlush }) => onFlush === wanted).map(patternOf);
  const flush = options.patterns ?? ofFamilies('flush');
  const preserve = [...new Set([...ofFamilies('preserve'), ...(options.preserve ?? [])])];
  for (const pattern of flush) requirePattern('--pattern', pattern);
  for (const pattern of options.preserve ?? []) requirePattern('--preserve', pattern);
  if (matchesEverything(flush) && !options.everything) {
    throw new ConfigurationError(
      `flush: --pattern ${flush.join(' ')} matches every key; name the families, such as mocs:*, or add --yes-everything to delete all but what is preserved`,
    );
  }
  const inUse = createKeyspace({ phase: 'legacy', env, families }).namespaces;
  const namespaces = onlyNamespace === undefined ? ['', ...inUse] : [onlyNamespace];
  const keys = { inUse, namespaces, flush, kept: [...preserve, OWN] };
  return {
    ...{ env, flush, preserve, namespaces },
    classes: [
      ...flush.map((pattern): KeyClass => ({ pattern, fate: 'flush' })),
      ...preserve.map((pattern): KeyClass => ({ pattern, fate: 'preserve' })),
      { pattern: OWN, fate: 'leave' },
      { pattern: undefined, fate: 'leave' },
    ],
    classify: byBytes(keys),
    isDue: byRegExp(keys),
  };
}

interface Keys {
  readonly inUse: readonly string[];
  readonly namespaces: readonly string[];
  readonly flush: readonly string[];
  readonly kept: readonly string[];
}

function byBytes({ inUse, namespaces, flush, kept }: Keys): FlushPlan['classify'] {
  const [flushes, keeps] = [flush.map(compileGlob), kept.map(compileGlob)];
  const stripped = inUse.map((namespace) => ({
    bytes: Buffer.from(namespace),
    due: namespaces.includes(namespace),
  }));
  const dueBare = namespaces.includes('');
  const none = flush.length + kept.length;

  const find = (
    matchers: readonly BytesMatcher[],
    bytes: Uint8Array,
    from: readonly [number, number],
    end: number,
  ) => {
    for (let index = 0; index < matchers.length; index += 1) {
      const matches = matchers[index] as BytesMatcher;
      if (matches(bytes, from[0], end)) return index;
      if (from[1] !== from[0] && matches(bytes, from[1], end)) return index;
    }
    return -1;
  };
  return (bytes, start, end) => {
    const namespace = stripped.find(({ bytes: prefix }) => beginsWith(bytes, start, prefix, end));
    const from = [start + (namespace?.bytes.length ?? 0), start] as const;
    const keep = find(keeps, bytes, from, end);
    if (keep >= 0) return flush.length + keep;
    const due = (namespace ? namespace.due : dueBare) ? find(flushes, bytes, from, end) : -1;
    return due >= 0 ? due : none;
  };
}

function byRegExp({ inUse, namespaces, flush, kept }: Keys): FlushPlan['isDue'] {
  const anyOf = (patterns: readonly string[]) =>
    new RegExp(patterns.map((pattern) => globToRegExp(asLatin1(pattern)).source).join('|') || '(?!)', 's');
  const [flushes, keeps] = [anyOf(flush), anyOf(kept)];
  return (key) => {
    const namespace = inUse.find((each) => key.startsWith(each)) ?? '';
    if (!namespaces.includes(namespace)) return false;
    const logical = key.slice(namespace.length);
    if (keeps.test(logical) || (namespace && keeps.test(key))) return false;
    return flushes.test(logical) || (namespace !== '' && flushes.test(key));
  };
}

/** A character for each byte, as Redis matches. */
const asLatin1 = (text: string) => Buffer.from(text).toString('latin1');

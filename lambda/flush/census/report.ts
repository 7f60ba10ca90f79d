import type { CensusClass, CensusKind, Classes } from './classes.ts';
import type { Counts } from './counts.ts';
import { largestGroups } from './groups.ts';
import { keyText } from './key-text.ts';
import { spreadOf, type TtlSpread } from './ttls.ts';

/** The keys of one family in one namespace. */
export interface ClassFigures extends CensusClass {
  readonly keys: number;
  readonly bytes: number;
  /** How many never expire. */
  readonly lasting: number;
  /** When the others do; absent where all of them last. */
  readonly ttlSeconds?: TtlSpread;
}

/** All keys of one namespace. */
export interface NamespaceFigures {
  readonly namespace: string;
  readonly keys: number;
  readonly bytes: number;
  /** Those of cache families, which is what a migration moves. */
  readonly cacheKeys: number;
  readonly cacheBytes: number;
}

/** Unclassified keys that begin alike. */
export interface GroupFigures {
  /** What they begin with, up to and with the first colon; '' for those without one. */
  readonly beginning: string;
  /** At least so many: where there are thousands of groups, small ones are forgotten on the way. */
  readonly keys: number;
  readonly bytes: number;
  readonly samples: readonly string[];
}

export interface UnclassifiedFigures {
  readonly keys: number;
  readonly bytes: number;
  /** The largest groups. */
  readonly groups: readonly GroupFigures[];
  /** How many keys are in none of these. */
  readonly otherKeys: number;
}

/** What a Redis holds. Keys are text as `keyText` makes it. */
export interface CensusFigures {
  readonly keys: number;
  readonly bytes: number;
  /** Keys that went while they were looked at; they count nowhere else. */
  readonly vanished: number;
  /** All namespaces in use, '' first. */
  readonly namespaces: readonly NamespaceFigures[];
  /** Those that have keys, by namespace, in the registry's order. */
  readonly classes: readonly ClassFigures[];
  /** The largest first. */
  readonly largest: readonly { readonly key: string; readonly bytes: number }[];
  readonly unclassified: UnclassifiedFigures;
}

const SHOWN_GROUPS = 10;

/** Makes figures for people and programs of what was counted. */
export function figuresOf(classes: Pick<Classes, 'all' | 'namespaces'>, counts: Counts): CensusFigures {
  const all = classes.all.map((each, index): ClassFigures => {
    const { keys = 0, bytes = 0, ttls } = counts.byClass[index] ?? {};
    const ttlSeconds = ttls && spreadOf(ttls);
    return { ...each, keys, bytes, lasting: ttls?.lasting ?? 0, ...(ttlSeconds && { ttlSeconds }) };
  });
  return {
    ...sumOf(all),
    vanished: counts.vanished,
    namespaces: classes.namespaces.map((namespace) => namespaceFigures(namespace, all)),
    classes: all.filter(({ keys }) => keys > 0),
    largest: counts.largest.map(({ key, bytes }) => ({ key: keyText(key), bytes })),
    unclassified: unclassifiedFigures(counts, sumOf(all.filter(ofKind('unclassified')))),
  };
}

const ofKind = (wanted: CensusKind) => (each: ClassFigures) => each.kind === wanted;

const sumOf = (figures: readonly ClassFigures[]) => ({
  keys: figures.reduce((sum, { keys }) => sum + keys, 0),
  bytes: figures.reduce((sum, { bytes }) => sum + bytes, 0),
});

function namespaceFigures(namespace: string, all: readonly ClassFigures[]): NamespaceFigures {
  const own = all.filter((each) => each.namespace === namespace);
  const cached = sumOf(own.filter(ofKind('cache')));
  return { namespace, ...sumOf(own), cacheKeys: cached.keys, cacheBytes: cached.bytes };
}

function unclassifiedFigures(
  { groups }: Counts,
  total: { readonly keys: number; readonly bytes: number },
): UnclassifiedFigures {
  const shown = largestGroups(groups, SHOWN_GROUPS).map(
    ([name, { keys, bytes, samples }]): GroupFigures => ({
      beginning: keyText(Buffer.from(name, 'latin1')),
      ...{ keys, bytes, samples: samples.map(keyText) },
    }),
  );
  return { ...total, groups: shown, otherKeys: total.keys - shown.reduce((sum, { keys }) => sum + keys, 0) };
}

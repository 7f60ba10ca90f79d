/** The unclassified keys that begin alike. */
export interface Group {
  keys: number;
  bytes: number;
  /** Some of them: the order of a SCAN, that of hashes, is as good as random. */
  readonly samples: Buffer[];
}

/** By name. */
export type Groups = Map<string, Group>;

/** What is known of a key. */
export interface GroupedKey {
  readonly name: string;
  readonly bytes: number;
  readonly key: () => Buffer;
}

/** Where each key begins with something of its own (an id), there is a group for each. */
const MAX_GROUPS = 2000;
const SAMPLES = 3;

export const createGroups = (): Groups => new Map();

/**
 * Counts a key. When there are too many groups, the smaller half is forgotten: since a SCAN visits keys in the order of their
 * hashes, a group that is large in the end is large in every part of the pass.
 */
export function addToGroup(groups: Groups, { name, bytes, key }: GroupedKey): void {
  const group = groups.get(name) ?? { keys: 0, bytes: 0, samples: [] };
  group.keys += 1;
  group.bytes += bytes;
  if (group.samples.length < SAMPLES) group.samples.push(key());
  groups.set(name, group);
  prune(groups);
}

/** Adds the groups of another server. */
export function mergeGroups(into: Groups, from: Groups): void {
  for (const [name, { keys, bytes, samples }] of from) {
    const group = into.get(name) ?? { keys: 0, bytes: 0, samples: [] };
    group.keys += keys;
    group.bytes += bytes;
    group.samples.push(...samples.slice(0, SAMPLES - group.samples.length));
    into.set(name, group);
  }
  prune(into);
}

/** Those with the most keys, the largest first. */
export function largestGroups(groups: Groups, count: number): [name: string, group: Group][] {
  return [...groups].sort(([, one], [, other]) => other.keys - one.keys).slice(0, count);
}

function prune(groups: Groups): void {
  if (groups.size <= MAX_GROUPS) return;
  const kept = largestGroups(groups, MAX_GROUPS / 2);
  groups.clear();
  for (const [name, group] of kept) groups.set(name, group);
}

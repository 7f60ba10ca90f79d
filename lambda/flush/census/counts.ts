import type { Classes } from './classes.ts';
import { addToGroup, createGroups, type Groups, mergeGroups } from './groups.ts';
import { MAX_SHOWN_BYTES } from './key-text.ts';
import type { Measured } from './measure.ts';
import { addTtl, createTtls, mergeTtls, type TtlCounts } from './ttls.ts';

/** What was counted of one class. */
export interface ClassCounts {
  keys: number;
  bytes: number;
  readonly ttls: TtlCounts;
}

/** One of the largest keys; the key is cut where nobody would read on. */
export interface LargeKey {
  readonly key: Buffer;
  readonly bytes: number;
}

/** What was counted on one server, or on all: of bounded size, whatever there is to count. */
export interface Counts {
  /** By the number of the class. */
  readonly byClass: readonly ClassCounts[];
  /** The largest first. */
  readonly largest: LargeKey[];
  readonly groups: Groups;
  /** Keys that were there for SCAN and gone when they were measured. */
  vanished: number;
}

const LARGEST = 10;
/** One byte more than is shown tells that a key was cut. */
const KEPT_BYTES = MAX_SHOWN_BYTES + 1;

export const createCounts = ({ all }: Pick<Classes, 'all'>): Counts => ({
  byClass: all.map(() => ({ keys: 0, bytes: 0, ttls: createTtls() })),
  largest: [],
  groups: createGroups(),
  vanished: 0,
});

/** Counts a key of a class. */
export function addKey(counts: Counts, classes: Classes, index: number, measured: Measured): void {
  const own = counts.byClass[index];
  if (!own) return;
  const { bytes, ttlMs } = measured;
  const key = () => measured.key(KEPT_BYTES);
  own.keys += 1;
  own.bytes += bytes;
  addTtl(own.ttls, ttlMs);
  if (isLarge(counts.largest, bytes)) keepLargest(counts.largest, { key: key(), bytes });
  if (classes.all[index]?.kind === 'unclassified') {
    addToGroup(counts.groups, { name: classes.groupOf(key()), bytes, key });
  }
}

/** The counts of several servers as those of one. */
export function mergeCounts(classes: Pick<Classes, 'all'>, servers: readonly Counts[]): Counts {
  const merged = createCounts(classes);
  for (const { byClass, largest, groups, vanished } of servers) {
    merged.vanished += vanished;
    mergeGroups(merged.groups, groups);
    for (const each of largest) if (isLarge(merged.largest, each.bytes)) keepLargest(merged.largest, each);
    byClass.forEach(({ keys, bytes, ttls }, index) => {
      const into = merged.byClass[index];
      if (!into) return;
      into.keys += keys;
      into.bytes += bytes;
      mergeTtls(into.ttls, ttls);
    });
  }
  return merged;
}

const isLarge = (largest: readonly LargeKey[], bytes: number): boolean =>
  largest.length < LARGEST || bytes > (largest.at(-1)?.bytes ?? 0);

function keepLargest(largest: LargeKey[], added: LargeKey): void {
  const place = largest.findIndex(({ bytes }) => bytes < added.bytes);
  largest.splice(place < 0 ? largest.length : place, 0, added);
  largest.length = Math.min(largest.length, LARGEST);
}

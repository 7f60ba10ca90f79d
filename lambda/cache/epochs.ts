import { randomUUID } from 'node:crypto';
import { InvalidKeyError, isPlainName, MAX_KEY_BYTES, type PhysicalKey } from './keyspace.ts';
import type { CacheStore } from './store.ts';

/** The epoch of each tag, as Redis answered; null for a tag that has none. */
export type Epochs = ReadonlyMap<string, string | null>;

/** Above any entry's: an entry that outlived its epoch would be a miss, and never more than that. */
const EPOCH_TTL_MS = 24 * 3600 * 1000;

/** Every tag is a key more that each read fetches. */
const MAX_TAGS = 32;

const keyOf = (tag: string) => `cutover:epoch:${tag}` as PhysicalKey;

/** @throws InvalidKeyError for a tag that no key can end with, RangeError for none or too many. */
export function requireEntryTags(tags: readonly string[]): void {
  const { length } = requireTags(tags);
  if (length > 0 && length <= MAX_TAGS) return;
  throw new RangeError(`cache: tags has ${length} tags; give 1 to ${MAX_TAGS}, or leave it out`);
}

/**
 * The tags, each once.
 * @throws InvalidKeyError for a tag that no key can end with.
 */
export function requireTags(tags: readonly string[]): string[] {
  for (const tag of tags) {
    if (isPlainName(tag)) continue;
    throw new InvalidKeyError(
      `cache: the tag ${JSON.stringify(tag.slice(0, 80))} is refused: it has to have 1 to ${MAX_KEY_BYTES} bytes and no control characters`,
    );
  }
  return [...new Set(tags)];
}

/** The epochs now. In one tick with the read of a value they travel together with it. */
export async function readEpochs(store: CacheStore, tags: readonly string[]): Promise<Epochs> {
  const values = await Promise.all(tags.map((tag) => store.get(keyOf(tag))));
  return new Map(tags.map((tag, index) => [tag, values[index] ?? null]));
}

/**
 * Makes the epochs that are missing, and lets all of them outlive what is filled under them. To be called before the load:
 * a bump during the load then makes the entry outdated.
 * @returns the epochs that a load which begins now is of.
 */
export async function ensureEpochs(store: CacheStore, seen: Epochs): Promise<Epochs> {
  const ensured = [...seen].map(async ([tag, epoch]) => {
    if (epoch !== null) {
      // Not waited for: an epoch that expires too early costs a miss.
      store.renew(keyOf(tag), EPOCH_TTL_MS).catch(() => {});
      return [tag, epoch] as const;
    }
    const fresh = randomUUID();
    return [tag, (await store.acquire(keyOf(tag), fresh, EPOCH_TTL_MS)) ?? fresh] as const;
  });
  return new Map(await Promise.all(ensured));
}

/** Makes every entry of the tags outdated, at the cost of one command a tag. Never by removing the epoch: who makes it anew would not know. */
export async function bumpEpochs(store: CacheStore, tags: readonly string[]): Promise<void> {
  await Promise.all(tags.map((tag) => store.replace(keyOf(tag), randomUUID(), EPOCH_TTL_MS)));
}

/** Whether both are the same epochs of the same tags. */
export function sameEpochs(one: Epochs | undefined, other: Epochs | undefined): boolean {
  if (!one || !other) return one === other;
  return (
    one.size === other.size && [...one].every(([tag, epoch]) => epoch !== null && other.get(tag) === epoch)
  );
}

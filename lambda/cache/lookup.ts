import { readEntry } from './entry.ts';
import type { PhysicalKey } from './keyspace.ts';
import { fetch, type Look } from './look.ts';
import type { Counts } from './metrics.ts';

/** What a read that loads nothing answers. */
export type Lookup<T> =
  | { readonly outcome: 'hit'; readonly value: T }
  | { readonly outcome: 'miss' }
  /** The store could not or may not be asked. */
  | { readonly outcome: 'unavailable' };

/** Reads an entry where its phase says, in phase `dual` then the legacy key. Never rejects. */
export async function lookUp<T>(request: Look<T>, counts: Counts): Promise<Lookup<T>> {
  const { places, tags, onError } = request;
  try {
    let found = await valueAt(places.home, request);
    if (found.outcome === 'miss' && places.fillsLegacy && !tags) {
      found = await valueAt(places.legacy, request);
      if (found.outcome === 'hit') counts.legacyFallbacks += 1;
    }
    counts[found.outcome === 'hit' ? 'hits' : 'misses'] += 1;
    return found;
  } catch (error) {
    onError(error);
    counts.bypasses += 1;
    return { outcome: 'unavailable' };
  }
}

async function valueAt<T>(key: PhysicalKey, request: Look<T>): Promise<Lookup<T>> {
  const { bytes, epochs } = await fetch(request, key);
  if (bytes === null) return { outcome: 'miss' };
  try {
    const entry = readEntry(bytes, { ...request, epochs });
    return entry.kind === 'value' ? { outcome: 'hit', value: entry.value } : { outcome: 'miss' };
  } catch (error) {
    request.onError(error);
    return { outcome: 'miss' };
  }
}

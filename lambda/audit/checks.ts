import type { Family } from '../contract/families.ts';
import { type ConfirmOptions, confirm } from './confirm.ts';
import { type AuditSources, compare, type Mismatch } from './entry.ts';

/** An entry that was older than its row, twice in a row. */
export interface StaleEntry {
  readonly family: string;
  /** `v2:`, `cw:{env}:`, or '' for the key of the legacy backend. */
  readonly namespace: string;
  /** Since it was stored, at the most: its time to live is up to a tenth shorter than its family's. */
  readonly ageSeconds: number;
  /** Not for a log: an id in a key may be a person's. */
  readonly key: string;
}

/** What was found of one family in one namespace. */
export interface AuditCounts {
  /** Entries that were compared with their rows. */
  audited: number;
  stale: number;
  /** Older than their rows, and the outbox still has to forget them. */
  pending: number;
  /** Changed, or in use, at each look. */
  unsettled: number;
}

/** Entries that are being compared and looked at again. */
export interface Checks {
  /** Begins to check a key; nobody waits. */
  begin(key: string, counts: AuditCounts): void;
  /** Resolves when no more than so many are left. @throws the first error of a check. */
  atMost(left: number): Promise<void>;
  readonly stale: readonly StaleEntry[];
}

export function createChecks(options: ConfirmOptions): Checks {
  const stale = new Map<string, StaleEntry>();
  let left = 0;
  let failure: { readonly error: unknown } | undefined;
  const waiting: (() => void)[] = [];

  const check = async (key: string, counts: AuditCounts) => {
    const found = await compare(key, options);
    if (found === 'not an entry') return;
    counts.audited += 1;
    if (found === 'same') return;
    const verdict = await confirm(found, options);
    if (verdict === 'fresh') return;
    counts[verdict] += 1;
    if (verdict === 'stale') stale.set(key, await describe(found, options));
  };

  return {
    begin(key, counts) {
      left += 1;
      check(key, counts)
        .catch((error: unknown) => {
          failure ??= { error };
        })
        .finally(() => {
          left -= 1;
          for (const resolve of waiting.splice(0)) resolve();
        });
    },
    async atMost(wanted) {
      while (left > wanted && !failure) {
        await new Promise<void>((resolve) => void waiting.push(resolve));
      }
      if (failure) throw failure.error;
    },
    get stale() {
      return [...stale.values()];
    },
  };
}

async function describe(
  { physical, places: { family, legacy } }: Mismatch,
  { send }: AuditSources,
): Promise<StaleEntry> {
  const leftMs = Number(await send(['PTTL', physical]));
  return {
    family: family.name,
    namespace: physical.slice(0, physical.length - legacy.length),
    ageSeconds: ageOf(family, leftMs),
    key: physical,
  };
}

function ageOf({ ttlSeconds = 0 }: Family, leftMs: number): number {
  return leftMs < 0 ? ttlSeconds : Math.max(0, Math.round(ttlSeconds - leftMs / 1000));
}

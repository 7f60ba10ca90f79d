import type { Explanation } from './explain.ts';
import type { OutboxReport } from './outbox.ts';
import type { PlaceReport } from './place.ts';

export interface ReasonOptions {
  /** The wall clock, in milliseconds. */
  readonly now: number;
  /** Whether two places hold plain values that are not the same. */
  readonly differ: boolean;
  /** Why the outbox could not be asked. */
  readonly failure?: string | undefined;
}

/** A fill's time is known from its TTL, which the runtime shortens by up to a tenth. */
const TTL_JITTER = 0.1;

/** Why a key may have been read old, as far as the facts say; pure. */
export function reasonsFor(
  facts: Omit<Explanation, 'reasons'>,
  { now, differ, failure }: ReasonOptions,
): string[] {
  const { outbox, replayed, places, tags, lease, ttlSeconds, keptSeconds } = facts;
  const filled = places.filter(({ kind }) => kind === 'value' || kind === 'tagged' || kind === 'nothing');
  const reasons: string[] = [];
  const say = (reason: string) => void reasons.push(reason);

  for (const { mark, life } of replayed) {
    if (mark !== null && mark !== life) {
      say(
        `This Redis was restarted or failed over, and the outbox was not replayed to it since: it may have lost invalidations. Runtime and mirror bypass it until then; who reads it without either may read old values. Look at the log of the dispatcher.`,
      );
    }
  }
  for (const row of outbox ?? []) {
    if (row.confirmedAt === null) {
      say(
        `The write of ${row.writer} at ${row.writtenAt} (outbox row ${row.id}) is not confirmed for ${seconds(now - Date.parse(row.writtenAt))}: until the dispatcher has repeated it the old value may be read.`,
      );
    } else if (row.byTrigger) {
      const late = Date.parse(row.confirmedAt) - Date.parse(row.writtenAt);
      say(
        `${row.writer} changed the row at ${row.writtenAt} and a trigger reported it (outbox row ${row.id}): if nobody invalidated it besides, the old value could be read for the ${seconds(late)} until the dispatcher did. Does ${row.writer} run the mirror?`,
      );
    }
  }
  for (const place of filled) {
    const survived = survivedBy(place, outbox ?? [], { ttlSeconds, now });
    if (survived) {
      say(
        `${place.key} was, if its TTL was the family’s, filled before ${survived.filledAt}, and so before the write of ${survived.row.writtenAt} (outbox row ${survived.row.id}) that was confirmed at ${survived.row.confirmedAt}: it should have gone with that. Flush it: cutover flush --pattern '${facts.key}'.`,
      );
    }
    if (place.ttlMs === null && facts.kind === 'cache') {
      say(
        `${place.key} never expires: the runtime stores nothing so. Somebody else wrote it, and only an invalidation removes it.`,
      );
    }
  }
  if (differ) {
    say(
      'Two places hold different values: who reads one of them and who reads the other see different things. A write since the last fill of one, that is not invalidated, would look like this; so would backends that encode the same row differently.',
    );
  }
  for (const { tag, outdatedAt } of tags) {
    for (const key of outdatedAt)
      say(`${key} was loaded under an older epoch of the tag ${tag}: it is read as a miss, and not old.`);
  }
  if (lease.kind === 'lease' || places.some(({ kind }) => kind === 'lease')) {
    say(
      'A load is under way: its lease falls to an invalidation, and then it stores nothing. Until it has ended others wait 500 ms and load for themselves.',
    );
  }
  if (failure !== undefined) say(`The outbox could not be asked: ${failure}.`);
  else if (outbox?.length === 0) {
    const kept = `${Math.round(keptSeconds / 60)} minutes`;
    say(
      filled.length === 0
        ? `Nothing is cached under this key, and no write named it in the last ${kept}: a read of now comes from the database.`
        : `No write named it in the last ${kept}. If the row has changed since, that fired no trigger: another table that the loader reads, a session with session_replication_role = replica, or a table that the registry does not name.`,
    );
  }
  return reasons;
}

/** A confirmed write that is younger than the entry, as its TTL tells: surely so, with all that the TTL may have been shortened by. */
function survivedBy(
  { ttlMs }: PlaceReport,
  rows: readonly OutboxReport[],
  { ttlSeconds, now }: { ttlSeconds: number | null; now: number },
): { row: OutboxReport; filledAt: string } | undefined {
  if (ttlSeconds === null || typeof ttlMs !== 'number') return undefined;
  const latestFill = now - (ttlSeconds * (1 - TTL_JITTER) * 1000 - ttlMs);
  const row = rows.find(
    ({ confirmedAt, writtenAt }) => confirmedAt !== null && Date.parse(writtenAt) > latestFill,
  );
  if (!row) return undefined;
  return { row, filledAt: new Date(latestFill).toISOString() };
}

const seconds = (ms: number): string => `${Math.max(0, ms / 1000).toFixed(1)} s`;

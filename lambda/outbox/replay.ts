import { type Database, withTransaction } from '../database/pool.ts';
import { BATCH } from './dispatch.ts';
import { type Forgetting, forget } from './forget.ts';
import type { OutboxEntry } from './outbox.ts';

export interface ReplayOptions extends Forgetting {
  readonly database: Database;
}

/** What holds this lock replays; the number is of no meaning, and Cutover's alone. */
export const REPLAY_LOCK = 7_281_364_501;
/** A process that is frozen in the middle must not keep the others from replaying. */
const BEGIN = "BEGIN; SET LOCAL idle_in_transaction_session_timeout = '5s'";

/**
 * Makes every backend forget all that the outbox remembers, confirmed or not: a Redis that was restarted or failed over may
 * have lost invalidations that it confirmed.
 * @returns false when another process is doing so, or Redis could not be asked. @throws what the database throws.
 */
export async function replayOutbox({ database, ...forgetting }: ReplayOptions): Promise<boolean> {
  return withTransaction(
    database,
    async (tx) => {
      const { rows } = await tx.query<{ mine: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS mine', [
        REPLAY_LOCK,
      ]);
      if (!rows[0]?.mine) return false;
      await tx.query(
        'DECLARE remembered NO SCROLL CURSOR FOR SELECT DISTINCT kind, name FROM cutover_outbox',
      );
      for (;;) {
        const { rows: entries } = await tx.query<OutboxEntry>(`FETCH ${BATCH} FROM remembered`);
        if (entries.length === 0) return true;
        if ((await forget(entries, forgetting)).length < entries.length) return false;
      }
    },
    BEGIN,
  );
}

import pg from 'pg';
import { CutoverError } from '../contract/errors.ts';

/** The database cannot be asked now, and nobody else may decide; whether a write was stored is then unknown. */
export class StateUnavailableError extends CutoverError {
  override readonly name = 'StateUnavailableError';
  readonly code = 'CUTOVER_STATE_UNAVAILABLE';
}

/** Of SQLSTATE: no connection, lost races, no room, stopped by somebody, trouble of the system. */
const PASSING = /^(08|40|53|57|58)/;

/** Whether an error says no more than that the database is of no use now; the others are faults of ours. */
export const isDatabaseAway = (error: unknown): boolean =>
  error instanceof pg.DatabaseError ? PASSING.test(error.code ?? '') : !(error instanceof CutoverError);

/** @throws StateUnavailableError where the database is away, else what `work` throws. */
export async function decidedByDatabase<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!isDatabaseAway(cause)) throw cause;
    throw new StateUnavailableError('stores: the database does not answer; ask again in a few seconds', {
      cause,
    });
  }
}

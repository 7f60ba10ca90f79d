/** Departures in what the outbox remembers, and in what is replayed of it. */
import { retentionSeconds } from '../../../lambda/contract/families.ts';
import type { Database } from '../../../lambda/database/pool.ts';
import { dispatch } from '../../../lambda/outbox/dispatch.ts';
import type { ReplayOptions } from '../../../lambda/outbox/replay.ts';

/** Takes a pass of the dispatcher for a replay. */
export const replaysUnconfirmed = async (options: ReplayOptions): Promise<boolean> =>
  !(await dispatch({ ...options, retentionSeconds: retentionSeconds() })).pending;

/** Deletes rows where they would be confirmed. */
export const deletesConfirmed = (database: Database): Database =>
  new Proxy(database, {
    get(target, property) {
      const value = Reflect.get(target, property, target) as unknown;
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => value.apply(target, property === 'query' ? args.map(asDeletion) : args);
    },
  });

function asDeletion(statement: unknown): unknown {
  const isConfirmation =
    typeof statement === 'object' &&
    statement !== null &&
    'name' in statement &&
    statement.name === 'cutover-outbox-confirm';
  return isConfirmation
    ? { ...statement, name: 'delete', text: 'DELETE FROM cutover_outbox WHERE id = ANY($1::bigint[])' }
    : statement;
}

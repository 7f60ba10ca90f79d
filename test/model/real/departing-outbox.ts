/** Departures in what the outbox remembers, and in what is replayed of it. */

import type { Send } from '../../../lambda/cache/redis-store.ts';
import { REPLAYED } from '../../../lambda/cache/replay-gate.ts';
import { retentionSeconds } from '../../../lambda/contract/families.ts';
import { type Database, withTransaction } from '../../../lambda/database/pool.ts';
import { INVALIDATES_ITSELF } from '../../../lambda/database/triggers.ts';
import { dispatch } from '../../../lambda/outbox/dispatch.ts';
import { confirmRows, insertEntries, type OutboxEntry } from '../../../lambda/outbox/outbox.ts';
import type { ReplayOptions } from '../../../lambda/outbox/replay.ts';
import { createWrites, type Writes, type WritesOptions } from '../../../lambda/outbox/writes.ts';

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

/** Inserts the rows when the write is committed: whoever dies in between leaves none. */
export const insertsAfterCommit = ({ database, cache }: WritesOptions): Writes => ({
  async withTransaction(work) {
    const keys: string[] = [];
    const tags: string[] = [];
    const value = await withTransaction(
      database,
      (connection) =>
        work({
          query: connection.query.bind(connection),
          invalidate: (...named) => void keys.push(...named),
          invalidateTag: (...named) => void tags.push(...named),
        }),
      `BEGIN; SET LOCAL ${INVALIDATES_ITSELF} = 'on'`,
    );
    const entries: OutboxEntry[] = [
      ...keys.map((name) => ({ kind: 'key' as const, name })),
      ...tags.map((name) => ({ kind: 'tag' as const, name })),
    ];
    const rows = await insertEntries(database, entries);
    const outcomes = await Promise.all([cache.invalidate(...keys), cache.invalidateTag(...tags)]);
    if (outcomes.includes('pending')) return { value, invalidation: 'pending' };
    await confirmRows(database, rows);
    return { value, invalidation: 'done' };
  },
});

/** Says of every write that it is invalidated. */
export const answersDone = (options: WritesOptions): Writes => {
  const { withTransaction } = createWrites(options);
  return { withTransaction: async (work) => ({ ...(await withTransaction(work)), invalidation: 'done' }) };
};

const isQuestion = ([name, key]: Parameters<Send>[0]) => name === 'GET' && key === REPLAYED;

/** Says that Redis has been replayed to when it asks whether it has. */
export const marksBeforeReplay =
  (send: Send): Send =>
  async (command) => {
    const reply = await send(command);
    if (isQuestion(command)) await send(['SET', REPLAYED, await lifeOf(send)]);
    return reply;
  };

/** Takes Redis for one that has been replayed to: always, or where what its mark says is so. */
export const takenForReplayed =
  (isTaken: (mark: unknown) => boolean = () => true) =>
  (send: Send): Send =>
  async (command) => {
    const reply = await send(command);
    return isQuestion(command) && isTaken(reply) ? lifeOf(send) : reply;
  };

/** What the mark says of this life of a server. */
async function lifeOf(send: Send): Promise<string> {
  const [server, replication] = await Promise.all([send(['INFO', 'server']), send(['INFO', 'replication'])]);
  const [, runId] = /run_id:(\w+)/.exec(String(server)) ?? [];
  const [, replicationId] = /master_replid:(\w+)/.exec(String(replication)) ?? [];
  return `${runId}:${replicationId}`;
}

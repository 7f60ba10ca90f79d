import type { Keyspace } from '../cache/keyspace.ts';
import type { Send } from '../cache/redis-store.ts';
import { filledKeyOf, SEEN_SECONDS, seenKeyOf } from '../cache/seen.ts';
import type { Queryable } from '../database/pool.ts';

/** Who changed a table without an invalidation, as its connections call themselves (`application_name`). */
export interface UncoveredWriter {
  readonly table: string;
  readonly writer: string;
  /** How many keys that it made outdated nobody had invalidated, since the last time. */
  readonly writes: number;
}

export interface JudgeOptions {
  readonly database: Queryable;
  readonly keyspace: Pick<Keyspace, 'tryLocate'>;
  readonly send: Send;
}

/** A row of a trigger. */
interface Row {
  readonly id: string;
  readonly name: string;
  /** Since its transaction began. */
  readonly ageMs: number;
}

const BATCH = 500;
/** So long after a dispatcher has first seen a row its writer has had the time to invalidate: judged at the next visit. */
const GRACE_SECONDS = 1;
/** Before a mark of the same age is gone. */
const LATEST_SECONDS = SEEN_SECONDS - 10;
/** What asking may take that no clock has noticed. */
const TOLERANCE_MS = 250;
const KEPT_DAYS = 30;

/**
 * Judges the rows of triggers that an earlier visit has confirmed: was what they name invalidated by who wrote? That is said by the marks
 * of lambda/cache/seen.ts, and only by one that is younger than the row. Where a mirror has filled the key since, nobody can tell, and where
 * the row is older than the marks live, neither: such rows count for nothing.
 * @returns who was found to write without. @throws what Redis and the database throw; then nothing is noted, and the next visit judges.
 */
export async function judgeCoverage(options: JudgeOptions): Promise<readonly UncoveredWriter[]> {
  const { database } = options;
  const found = new Map<string, UncoveredWriter>();
  for (let afterId = '0'; ; ) {
    const askedAt = performance.now();
    const rows = await rowsToJudge(database, afterId);
    const last = rows.at(-1);
    if (!last) break;
    afterId = last.id;
    const verdicts = await Promise.all(rows.map((row) => isCovered(row, askedAt, options)));
    const judged = rows.flatMap(({ id }, index) => {
      const covered = verdicts[index];
      return covered === undefined ? [] : [{ id, covered }];
    });
    for (const each of await note(database, judged)) {
      const name = JSON.stringify([each.table, each.writer]);
      found.set(name, { ...each, writes: each.writes + (found.get(name)?.writes ?? 0) });
    }
  }
  await database.query('DELETE FROM cutover_coverage WHERE last_seen < now() - make_interval(days => $1)', [
    KEPT_DAYS,
  ]);
  return [...found.values()].filter(({ writes }) => writes > 0);
}

async function rowsToJudge(database: Queryable, afterId: string): Promise<Row[]> {
  const { rows } = await database.query<Row>(
    `SELECT id, name, (extract(epoch FROM now() - created_at) * 1000)::float8 AS "ageMs" FROM cutover_outbox
     WHERE by_trigger AND kind = 'key' AND source_table IS NOT NULL AND covered IS NULL AND id > $1
       AND confirmed_at BETWEEN now() - make_interval(secs => $2) AND now() - make_interval(secs => $3)
       AND created_at > now() - make_interval(secs => $2)
     ORDER BY id LIMIT $4`,
    [afterId, LATEST_SECONDS, GRACE_SECONDS, BATCH],
  );
  return rows;
}

/** @returns undefined where nobody can tell. */
async function isCovered(
  { name, ageMs }: Row,
  askedAt: number,
  { keyspace, send }: JudgeOptions,
): Promise<boolean | undefined> {
  const places = keyspace.tryLocate(name);
  if (places?.family.kind !== 'cache') return undefined;
  /** By the time that is left of it: two machines' clocks go alike, and need not tell the same time. */
  const isYounger = async (key: string): Promise<boolean> => {
    const leftMs = Number(await send(['PTTL', key]));
    const markedMs = SEEN_SECONDS * 1000 - leftMs - (performance.now() - askedAt);
    return leftMs > 0 && markedMs <= ageMs + TOLERANCE_MS;
  };
  const [seen, filled] = await Promise.all([seenKeyOf, filledKeyOf].map((keyOf) => isYounger(keyOf(places))));
  if (seen) return true;
  return filled ? undefined : false;
}

/** Notes verdicts, each of which counts once, however many dispatchers run. @returns the uncovered ones by table and writer. */
async function note(
  database: Queryable,
  judged: readonly { readonly id: string; readonly covered: boolean }[],
): Promise<UncoveredWriter[]> {
  if (judged.length === 0) return [];
  const { rows } = await database.query<UncoveredWriter>(
    `WITH judged AS (
       UPDATE cutover_outbox AS kept SET covered = verdict.covered
       FROM unnest($1::bigint[], $2::boolean[]) AS verdict (id, covered)
       WHERE kept.id = verdict.id AND kept.covered IS NULL
       RETURNING kept.source_table, kept.writer, kept.created_at, verdict.covered
     ), summed AS (
       SELECT source_table, writer, min(created_at) AS first_seen, max(created_at) AS last_seen, count(*) AS writes,
         count(*) FILTER (WHERE NOT covered) AS uncovered, max(created_at) FILTER (WHERE NOT covered) AS last_uncovered
       FROM judged GROUP BY source_table, writer
     ), noted AS (
       INSERT INTO cutover_coverage AS known
         (table_name, writer, first_seen, last_seen, writes, uncovered_writes, last_uncovered)
       SELECT source_table, writer, first_seen, last_seen, writes, uncovered, last_uncovered FROM summed
       ORDER BY source_table, writer
       ON CONFLICT (table_name, writer) DO UPDATE SET
         first_seen = least(known.first_seen, excluded.first_seen),
         last_seen = greatest(known.last_seen, excluded.last_seen),
         writes = known.writes + excluded.writes,
         uncovered_writes = known.uncovered_writes + excluded.uncovered_writes,
         last_uncovered = greatest(known.last_uncovered, excluded.last_uncovered)
     )
     SELECT source_table AS "table", writer, uncovered::int AS writes FROM summed`,
    [judged.map(({ id }) => id), judged.map(({ covered }) => covered)],
  );
  return rows;
}

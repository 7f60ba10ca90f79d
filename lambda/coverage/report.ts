import { type InstanceReader, readInstances } from '../cache/instances.ts';
import type { Instance } from '../cache/presence.ts';
import { DISPATCHER_SERVICE } from '../contract/metrics.ts';
import type { Queryable } from '../database/pool.ts';

/** Who changes a table, as its connections call themselves (`application_name`). */
export interface Writer {
  readonly table: string;
  readonly writer: string;
  readonly firstSeen: Date;
  readonly lastSeen: Date;
  /** Keys that it made outdated, of which it was found out whether somebody had invalidated them. */
  readonly writes: number;
  readonly uncoveredWrites: number;
  readonly lastUncovered: Date | null;
  /** Whether all of its writes since then were invalidated. */
  readonly covered: boolean;
}

export interface CoverageReport {
  readonly since: Date;
  readonly writers: readonly Writer[];
  /** Who uses the Redis now. */
  readonly instances: readonly Instance[];
  /** Whether somebody is there who finds out. */
  readonly judged: boolean;
  /** Whether the writers are known, and each of them is covered. */
  readonly complete: boolean;
}

export interface CoverageOptions extends InstanceReader {
  readonly database: Queryable;
  /** How far back a writer counts. */
  readonly sinceSeconds: number;
}

/**
 * Who has written to the tables of the registry without knowing of the outbox, and whether its writes were invalidated by a mirror. A
 * writer that has invalidated nothing once since then is not covered, whatever it did later.
 * @throws what Redis and the database throw; also where the tables are missing.
 */
export async function reportCoverage(options: CoverageOptions): Promise<CoverageReport> {
  const { database, sinceSeconds } = options;
  const [instances, { rows }, { rows: clock }] = await Promise.all([
    readInstances(options),
    database.query<Writer>(
      `SELECT table_name AS "table", writer, first_seen AS "firstSeen", last_seen AS "lastSeen", writes::float8,
         uncovered_writes::float8 AS "uncoveredWrites", last_uncovered AS "lastUncovered",
         coalesce(last_uncovered < now() - make_interval(secs => $1), true) AS covered
       FROM cutover_coverage WHERE last_seen >= now() - make_interval(secs => $1)
       ORDER BY covered, table_name, writer`,
      [sinceSeconds],
    ),
    database.query<{ since: Date }>('SELECT now() - make_interval(secs => $1) AS since', [sinceSeconds]),
  ]);
  const judged = instances.some(({ service }) => service === DISPATCHER_SERVICE);
  return {
    since: clock[0]?.since ?? new Date(0),
    ...{ writers: rows, instances, judged },
    complete: judged && rows.every(({ covered }) => covered),
  };
}

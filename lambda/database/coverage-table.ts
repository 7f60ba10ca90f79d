/** Only where it is missing: who alters a table waits for all who use it, and holds up who comes later. */
const OUTBOX_COLUMNS = `DO $$ BEGIN
  IF NOT EXISTS (
    SELECT FROM pg_attribute
    WHERE attrelid = 'cutover_outbox'::regclass AND attname = 'covered' AND NOT attisdropped
  ) THEN
    ALTER TABLE cutover_outbox
      -- Whose trigger inserted a row.
      ADD COLUMN IF NOT EXISTS source_table text,
      -- Whether somebody had invalidated what a trigger reports; null until the dispatcher knows, and where it never will.
      ADD COLUMN IF NOT EXISTS covered boolean,
      ALTER COLUMN writer
        SET DEFAULT coalesce(nullif(current_setting('application_name'), ''), 'role ' || session_user);
  END IF;
END $$`;

/**
 * Who changes which table, and whether its changes are invalidated: what the outbox has to tell of that, and the table of what was found
 * out. A writer is its connections' `application_name`, or its role where it
 * gives none.
 */
export const COVERAGE_TABLE: readonly string[] = [
  OUTBOX_COLUMNS,
  `CREATE TABLE IF NOT EXISTS cutover_coverage (
    table_name text NOT NULL,
    writer text NOT NULL,
    first_seen timestamptz NOT NULL,
    last_seen timestamptz NOT NULL,
    writes bigint NOT NULL,
    uncovered_writes bigint NOT NULL,
    last_uncovered timestamptz,
    PRIMARY KEY (table_name, writer)
  )`,
];

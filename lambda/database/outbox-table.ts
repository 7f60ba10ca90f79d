/** The table of the outbox: what writes have made outdated, inserted in their own transactions. */
export const OUTBOX_TABLE: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS cutover_outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('key', 'tag', 'state')),
    name text NOT NULL,
    by_trigger boolean NOT NULL DEFAULT false,
    writer text NOT NULL DEFAULT current_setting('application_name'),
    created_at timestamptz NOT NULL DEFAULT now(),
    confirmed_at timestamptz
  )`,
  'CREATE INDEX IF NOT EXISTS cutover_outbox_unconfirmed ON cutover_outbox (id) WHERE confirmed_at IS NULL',
  'CREATE INDEX IF NOT EXISTS cutover_outbox_confirmed ON cutover_outbox (confirmed_at) WHERE confirmed_at IS NOT NULL',
];

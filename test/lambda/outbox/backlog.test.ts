import { expect, test } from '@jest/globals';
import { migrate } from '../../../lambda/database/migrate.ts';
import { createPool } from '../../../lambda/database/pool.ts';
import { backlogOf } from '../../../lambda/outbox/backlog.ts';
import { figuresOf } from '../../../lambda/outbox/figures.ts';
import { freshDatabase } from '../../support/servers.ts';

test('what is left of the outbox: unconfirmed rows, and the age of the oldest; zeros without one', async () => {
  const { url } = await freshDatabase();
  await migrate(url);
  const database = createPool({ url, applicationName: 'test', maxConnections: 1 });
  try {
    expect(await backlogOf(database)).toEqual({ rows: 0, oldestSeconds: 0 });
    await database.query(`INSERT INTO cutover_outbox (kind, name, created_at, confirmed_at) VALUES
      ('key', 'mocs:user:1:list', now() - interval '9 minutes', now()),
      ('key', 'mocs:user:2:list', now() - interval '5 minutes', NULL),
      ('tag', 'lists', now() - interval '1 minute', NULL)`);
    const { rows, oldestSeconds } = await backlogOf(database);
    expect(rows).toBe(2);
    expect(oldestSeconds).toBeGreaterThanOrEqual(300);
    expect(oldestSeconds).toBeLessThan(360);
  } finally {
    await database.end();
  }
});

test('is in metrics what it is, zeros too', () => {
  const writer = { table: 'mocs', writer: 'legacy', writes: 3 };
  expect(figuresOf({ uncovered: [writer] }, { rows: 2, oldestSeconds: 300.126 })).toEqual([
    { name: 'OutboxPending', unit: 'Count', values: [2] },
    { name: 'OutboxOldestAge', unit: 'Seconds', values: [300.13] },
    { name: 'UncoveredWriters', unit: 'Count', values: [1] },
  ]);
  expect(figuresOf({}, { rows: 0, oldestSeconds: 0 }).map(({ values }) => values)).toEqual([[0], [0], [0]]);
});

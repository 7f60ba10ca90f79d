import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import {
  createPool,
  type Database,
  type Transaction,
  withTransaction,
} from '../../../lambda/database/pool.ts';
import { freshDatabase } from '../../support/servers.ts';

let url: string;
let pool: Database;
const onError = jest.fn<(error: Error) => void>();

beforeEach(async () => {
  onError.mockReset();
  ({ url } = await freshDatabase());
  pool = createPool({ url, applicationName: 'the-test', maxConnections: 2, onError });
  await pool.query('CREATE TABLE t (n int PRIMARY KEY)');
});

afterEach(() => pool.end());

const insert = (tx: Pick<Transaction, 'query'>, n: number) => tx.query('INSERT INTO t VALUES ($1)', [n]);
const numbers = async () =>
  (await pool.query<{ n: number }>('SELECT n FROM t ORDER BY n')).rows.map(({ n }) => n);
const processOf = async (tx: Pick<Transaction, 'query'>) =>
  Number((await tx.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]?.pid);

describe('withTransaction', () => {
  test('commits what the work did when it resolves, and answers its value', async () => {
    const value = await withTransaction(pool, async (tx) => {
      await insert(tx, 1);
      expect(await numbers()).toEqual([]);
      await insert(tx, 2);
      return 'value';
    });
    expect(value).toBe('value');
    expect(await numbers()).toEqual([1, 2]);
  });

  test('rolls back when the work throws, with its own error, and gives the connection back', async () => {
    const failure = new Error('of the work');
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const failing = withTransaction(pool, async (tx) => {
        await insert(tx, 1);
        throw failure;
      });
      await expect(failing).rejects.toBe(failure);
    }
    expect(await numbers()).toEqual([]);
    expect([pool.waitingCount, pool.totalCount - pool.idleCount]).toEqual([0, 0]);
  });

  test('rolls back when the database refuses a statement', async () => {
    const failing = withTransaction(pool, async (tx) => {
      await insert(tx, 1);
      await insert(tx, 1);
    });
    await expect(failing).rejects.toThrow('duplicate key');
    expect(await numbers()).toEqual([]);
  });

  test('does not resolve when a caught error of a statement has made the database roll back', async () => {
    const committing = withTransaction(pool, async (tx) => {
      await insert(tx, 1);
      await insert(tx, 1).catch(() => 'caught');
      return 'stored';
    });
    await expect(committing).rejects.toMatchObject({
      name: 'RolledBackError',
      code: 'CUTOVER_ROLLED_BACK',
      message: expect.stringMatching(/^database: COMMIT answered ROLLBACK: .*SAVEPOINT$/),
    });
    expect(await numbers()).toEqual([]);
  });

  test('commits after an error that a savepoint has kept from the transaction', async () => {
    await withTransaction(pool, async (tx) => {
      await insert(tx, 1);
      await tx.query('SAVEPOINT before');
      await insert(tx, 1).catch(() => tx.query('ROLLBACK TO before'));
    });
    expect(await numbers()).toEqual([1]);
  });

  test('is refused inside itself before it takes a connection, and undoes the outer one with that', async () => {
    const nested = withTransaction(pool, async (tx) => {
      await insert(tx, 1);
      await withTransaction(pool, (inner) => insert(inner, 2));
    });
    await expect(nested).rejects.toMatchObject({
      name: 'NestedTransactionError',
      code: 'CUTOVER_NESTED_TRANSACTION',
      message: expect.stringMatching(/^database: .*; pass the outer tx on/),
    });
    expect(await numbers()).toEqual([]);
    expect(pool.totalCount).toBe(1);
  });

  test('may follow another one, and run beside it', async () => {
    await withTransaction(pool, (tx) => insert(tx, 1));
    await Promise.all([2, 3].map((n) => withTransaction(pool, (tx) => insert(tx, n))));
    expect(await numbers()).toEqual([1, 2, 3]);
  });

  test('discards a connection that broke', async () => {
    let broken = 0;
    const failing = withTransaction(pool, async (tx) => {
      broken = await processOf(tx);
      await tx.query('SELECT pg_terminate_backend(pg_backend_pid())');
    });
    await expect(failing).rejects.toThrow(/terminat/);
    const used = await Promise.all([processOf(pool), processOf(pool), processOf(pool)]);
    expect(used).not.toContain(broken);
    expect(pool.totalCount).toBeLessThanOrEqual(2);
  });

  // An error event without a listener would be an uncaught exception, and the end of the process.
  test('a connection that breaks between two statements is an error of the next, and of nothing else', async () => {
    const failing = withTransaction(pool, async (tx) => {
      // Not `once` of node:events, which would listen for errors, too.
      const ended = new Promise((resolve) => void tx.once('end', resolve));
      await pool.query('SELECT pg_terminate_backend($1)', [await processOf(tx)]);
      await Promise.race([ended, sleep(1000)]);
      await insert(tx, 1);
    });
    await expect(failing).rejects.toThrow();
    expect(await numbers()).toEqual([]);
  });

  test('with a pool that cannot connect rejects with the reason', async () => {
    const other = new URL(url);
    other.pathname = '/no_such_database';
    const lost = createPool({ url: other.href, applicationName: 'test' });
    await expect(withTransaction(lost, async () => 'never')).rejects.toThrow('does not exist');
    await lost.end();
  });
});

describe('a pool', () => {
  test('names its connections', async () => {
    const { rows } = await pool.query('SHOW application_name');
    expect(rows).toEqual([{ application_name: 'the-test' }]);
  });

  test('opens no more connections than told, and lets the others wait', async () => {
    const processes = await Promise.all(Array.from({ length: 20 }, () => processOf(pool)));
    expect(new Set(processes).size).toBeLessThanOrEqual(2);
  });

  test('bounds a statement', async () => {
    const { rows } = await pool.query('SHOW statement_timeout');
    expect(rows).toEqual([{ statement_timeout: '4s' }]);
  });

  test('is told when an idle connection breaks, and replaces it', async () => {
    const idle = await processOf(pool);
    const told = new Promise<void>((resolve) => onError.mockImplementation(() => resolve()));
    const other = createPool({ url, applicationName: 'other', maxConnections: 1 });
    await other.query('SELECT pg_terminate_backend($1)', [idle]);
    await other.end();
    await told;
    expect(await processOf(pool)).not.toBe(idle);
  });
});

describe('a pool of a database that pauses', () => {
  test('holds no connection that it does not use, after a transaction neither', async () => {
    const closing = createPool({ url, applicationName: 'closing', idle: 'close' });
    const first = await processOf(closing);
    expect(await withTransaction(closing, processOf)).not.toBe(first);
    expect(closing.totalCount).toBe(0);
    const open =
      "SELECT FROM pg_stat_activity WHERE application_name = 'closing' AND datname = current_database()";
    while ((await pool.query(open)).rowCount !== 0);
    await closing.end();
  });

  test('keeps one in between where it does not', async () => {
    expect(await processOf(pool)).toBe(await processOf(pool));
  });
});

describe('a password that is asked for', () => {
  const { username: user, password: known } = new URL(String(process.env['CUTOVER_TEST_POSTGRES_URL']));
  const asking = (password: () => Promise<string>) => {
    const address = new URL(url);
    address.password = '';
    return createPool({ url: address.href, password, applicationName: 'asking', idle: 'close' });
  };

  test('is asked for at each connection', async () => {
    const password = jest.fn(async () => known);
    const asked = asking(password);
    const { rows } = await asked.query('SELECT current_user AS name, current_database() AS database');
    expect(rows).toEqual([{ name: user, database: new URL(url).pathname.slice(1) }]);
    await asked.query('SELECT 1');
    expect(password).toHaveBeenCalledTimes(2);
    await asked.end();
  });

  test.each([
    ['is wrong', async () => 'wrong', /password authentication failed/],
    ['is not to be had', () => Promise.reject(new Error('no credentials')), /no credentials/],
  ])('that %s is an error of the connection, and no other is tried', async (_, password, message) => {
    const asked = asking(password);
    await expect(asked.query('SELECT 1')).rejects.toThrow(message);
    await asked.end();
  });
});

test('a pool tells how long each statement took, the wait for a connection and failures included', async () => {
  const latencies: number[] = [];
  const onLatency = (ms: number) => void latencies.push(ms);
  const narrow = createPool({ url, applicationName: 'the-test', maxConnections: 1, onLatency });
  const held = withTransaction(narrow, async (tx) => {
    await insert(tx, 1);
    await sleep(60);
  });
  await narrow.query('SELECT 1');
  await held;
  await expect(narrow.query('SELECT nothing')).rejects.toThrow('nothing');
  expect(latencies).toHaveLength(2);
  expect(latencies[0]).toBeGreaterThan(50);
  await narrow.end();
});

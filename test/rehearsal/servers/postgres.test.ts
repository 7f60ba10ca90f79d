import { readdirSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import pg from 'pg';
import { startPostgres } from '../../../rehearsal/servers/postgres.ts';
import { freshDatabase, ownWorkspace } from '../../support/servers.ts';
import { isAlive, listens } from './remains.ts';

async function ask(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
    return (await client.query({ text: sql, rowMode: 'array' })).rows.flat();
  } finally {
    await client.end();
  }
}

test('two servers at once, each with its own databases', async () => {
  const workspace = await ownWorkspace();
  const [one, two] = await Promise.all([startPostgres(workspace), startPostgres(workspace)]);
  const odd = await one.createDatabase('A "quoted" name');
  expect(await ask(odd, 'SELECT current_database()')).toEqual(['A "quoted" name']);
  expect(await ask(two.url, `SELECT count(*)::int FROM pg_database WHERE datname LIKE 'A%'`)).toEqual([0]);
  await expect(one.createDatabase('A "quoted" name')).rejects.toThrow('already exists');

  await one.stop();

  expect([isAlive(one.pid), isAlive(two.pid)]).toEqual([false, true]);
  expect([await listens(one.port), await listens(two.port)]).toEqual([false, true]);
});

test('nobody connects without its password', async () => {
  const server = await startPostgres(await ownWorkspace());
  const url = new URL(server.url);
  url.password = 'postgres';
  await expect(ask(url.href, 'SELECT 1')).rejects.toThrow('password authentication failed');
});

test('fresh databases are empty, apart from each other, and can be dropped while in use', async () => {
  const [one, two] = await Promise.all([freshDatabase(), freshDatabase()]);
  await ask(one.url, 'CREATE TABLE t ()');
  const tables = `SELECT count(*)::int FROM pg_tables WHERE schemaname = 'public'`;
  expect([...(await ask(one.url, tables)), ...(await ask(two.url, tables))]).toEqual([1, 0]);
  const client = new pg.Client({ connectionString: one.url });
  client.on('error', () => {});
  await client.connect();

  await one.drop();

  await expect(ask(one.url, tables)).rejects.toThrow('does not exist');
  expect(await ask(two.url, tables)).toEqual([0]);
});

test('no shared memory that would outlive a killed server', async () => {
  const server = await startPostgres(await ownWorkspace());
  expect(await ask(server.url, `SHOW dynamic_shared_memory_type`)).toEqual(['mmap']);
  const here = process.platform === 'linux' ? readdirSync('/dev/shm') : [];
  expect(here.filter((name) => name.startsWith('PostgreSQL.'))).toEqual([]);
});

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { COLLECTIONS } from '../../../lambda/contract/families.ts';
import { FLAGS_SCOPE } from '../../../lambda/contract/flag-routes.ts';
import { migrate } from '../../../lambda/database/migrate.ts';
import { createPool, type Database } from '../../../lambda/database/pool.ts';
import type { Handler } from '../../../rehearsal/host/host.ts';
import { coldDispatcher, wiredApi } from '../../support/deployed.ts';
import { lookInto } from '../../support/redis.ts';
import { freshDatabase, ownRedis } from '../../support/servers.ts';

// Roles are the server's, and other test files use the same server.
const appRole = `app_${randomBytes(6).toString('hex')}`;
const FLAGS = '/api/admin/flags';
const PASSWORD = 'of the test alone';

let url: string;
let owner: Database;
let app: Database;
let appUrl: string;

beforeAll(async () => {
  ({ url } = await freshDatabase());
  await migrate({ url, appRole });
  owner = createPool({ url, applicationName: 'owner' });
  await owner.query(`ALTER ROLE ${appRole} PASSWORD '${PASSWORD}'`);
  appUrl = urlAs(appRole);
  app = createPool({ url: appUrl, applicationName: 'app' });
});
afterAll(() => Promise.all([owner.end(), app.end()]));

function urlAs(role: string): string {
  const address = new URL(url);
  address.username = role;
  address.password = encodeURIComponent(PASSWORD);
  return address.href;
}

/** What API Gateway sends, with the claims of somebody who may write flags. */
async function ask(handler: Handler, method: string, path: string, body?: unknown) {
  const [rawPath = '', rawQueryString = ''] = path.split('?');
  const event = {
    version: '2.0',
    rawPath,
    rawQueryString,
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    isBase64Encoded: false,
    requestContext: {
      domainName: 'api.example.com',
      http: { method, path: rawPath },
      authorizer: { jwt: { claims: { sub: 'ada', scope: FLAGS_SCOPE } } },
    },
  };
  const { statusCode, headers } = await handler(event as unknown as APIGatewayProxyEventV2);
  return `${statusCode} ${headers?.['x-invalidation'] ?? '-'}`;
}

describe('the role of the functions', () => {
  test('does all that the API does', async () => {
    const { url: REDIS_URL } = await ownRedis();
    const handler = await wiredApi({
      NODE_ENV: 'test',
      DATABASE_URL: appUrl,
      REDIS_URL,
      MIGRATION_MODE: 'true',
    });
    for (const collection of COLLECTIONS) {
      const list = `/api/users/u/${collection}`;
      expect(await ask(handler, 'PUT', `${list}/a`, { data: {} })).toBe('200 done');
      expect(await ask(handler, 'PUT', `${list}/a`, { data: { again: 1 } })).toBe('200 done');
      expect(await ask(handler, 'GET', list)).toBe('200 -');
      expect(await ask(handler, 'DELETE', `${list}/a`)).toBe('200 done');
    }
    const asked = [
      await ask(handler, 'POST', FLAGS, { key: 'new-list', enabled: true }),
      await ask(handler, 'PATCH', `${FLAGS}/new-list`, { enabled: false }),
      await ask(handler, 'PATCH', `${FLAGS}/new-list?userId=u`, { enabled: true }),
      await ask(handler, 'PATCH', `${FLAGS}/new-list?userId=u`, { enabled: false }),
      await ask(handler, 'DELETE', `${FLAGS}/new-list?userId=u`),
      await ask(handler, 'PATCH', `${FLAGS}/new-list?userId=u`, { enabled: true }),
      await ask(handler, 'DELETE', `${FLAGS}/new-list`),
    ];
    const statuses = [201, 200, 200, 200, 204, 200, 204];
    expect(asked).toEqual(statuses.map((status) => `${status} done`));
    expect(await ask(handler, 'GET', '/api/config/flags')).toBe('200 -');
  });

  test('does all that the dispatcher does', async () => {
    const { url: REDIS_URL } = await ownRedis();
    const redis = await lookInto(REDIS_URL);
    // A writer that does not know of the outbox, with no right on it: the trigger has its own.
    await app.query("INSERT INTO mocs (user_id, item_id, version, data) VALUES ('9', 'a', 1, '{}')");
    await owner.query(
      "INSERT INTO cutover_outbox (kind, name, confirmed_at) VALUES ('key', 'mocs:user:8:list', now() - interval '1 day')",
    );
    const handler = await coldDispatcher({ NODE_ENV: 'test', DATABASE_URL: appUrl, REDIS_URL });
    const { confirmed, pending, pruned } = await handler();
    expect({ isAny: confirmed > 0, pending, pruned }).toEqual({ isAny: true, pending: false, pruned: 1 });
    // The replay of a new Redis, behind it.
    while ((await redis.send(['GET', 'cutover:replayed'])) === null);
    // At its second visit it judges who wrote.
    await sleep(1200);
    expect(await handler()).toMatchObject({ uncovered: [{ table: 'mocs', writer: 'app', writes: 1 }] });
  });

  test('changes no schema, and reads nobody’s password', async () => {
    for (const statement of [
      'DROP TABLE mocs',
      'ALTER TABLE mocs ADD COLUMN more int',
      'TRUNCATE mocs',
      'CREATE TABLE more (n int)',
      'CREATE INDEX ON mocs (data)',
      'DROP TRIGGER cutover_outbox_rows ON mocs',
      'ALTER TABLE mocs DISABLE TRIGGER ALL',
      'DROP FUNCTION feature_flag_changed()',
      "SELECT setval('feature_flag_versions', 1)",
      'DELETE FROM collection_versions',
      'DELETE FROM kysely_migration',
      'SELECT FROM pg_authid',
      'CREATE ROLE another',
      `ALTER ROLE ${appRole} SUPERUSER`,
      'CREATE DATABASE another',
      'CREATE SCHEMA another',
    ]) {
      const refused = await app.query(statement).then(
        () => 'nothing',
        ({ code }: { code: string }) => code,
      );
      // Insufficient privilege.
      expect([statement, refused]).toEqual([statement, '42501']);
    }
  });

  test('has rights on these tables, and on no other', async () => {
    const { rows } = await owner.query<{ text: string }>(
      `SELECT table_name || ' ' || string_agg(privilege_type, ' ' ORDER BY privilege_type) AS text
       FROM information_schema.role_table_grants WHERE grantee = $1 GROUP BY table_name ORDER BY 1`,
      [appRole],
    );
    const rights = 'DELETE INSERT SELECT UPDATE';
    const changed = [
      ...COLLECTIONS,
      ...['feature_flags', 'feature_flag_overrides', 'cutover_outbox', 'cutover_coverage'],
      ...['secure_sessions', 'classroom_sessions', 'classroom_members', 'access_codes'],
    ];
    expect(rows.map(({ text }) => text).sort()).toEqual(
      [
        ...changed.map((table) => `${table} ${rights}`),
        'collection_versions INSERT SELECT UPDATE',
        'kysely_migration SELECT',
      ].sort(),
    );
  });
});

describe('a migration', () => {
  const membersOf = async () => {
    const { rows } = await owner.query<{ isMember: boolean }>(
      `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_iam' AND pg_has_role($1, oid, 'MEMBER')) AS "isMember"`,
      [appRole],
    );
    return rows;
  };

  test('makes the role once, however many migrate, and a member of RDS’s where that is', async () => {
    expect(await membersOf()).toEqual([{ isMember: false }]);
    await owner.query('CREATE ROLE rds_iam');
    try {
      await Promise.all([1, 2, 3].map(() => migrate({ url, appRole })));
      expect(await membersOf()).toEqual([{ isMember: true }]);
    } finally {
      await owner.query('DROP ROLE rds_iam');
    }
  });

  test('gives the rights to a role that another database has', async () => {
    const other = await freshDatabase();
    await migrate({ url: other.url, appRole });
    const address = new URL(appUrl);
    address.pathname = new URL(other.url).pathname;
    const there = createPool({ url: address.href, applicationName: 'app' });
    expect((await there.query('SELECT FROM mocs')).rowCount).toBe(0);
    await there.end();
  });

  test('makes none that it is not told of', async () => {
    const other = await freshDatabase();
    await migrate({ url: other.url });
    const there = createPool({ url: other.url, applicationName: 'test' });
    // Roles are the server's, on which other tests make them: here none has a right.
    const { rows } = await there.query(
      "SELECT DISTINCT grantee FROM information_schema.role_table_grants WHERE table_schema = 'public' AND grantee <> current_user",
    );
    await there.end();
    expect(rows).toEqual([]);
  });

  test.each(['Robert"; DROP TABLE', 'App', '1app', 'a'.repeat(64)])('refuses the name %s', async (name) => {
    await expect(migrate({ url, appRole: name })).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringContaining(`migrate: DATABASE_APP_ROLE=${name} is no name of a role; `),
    });
  });

  test('by who may make no role says so, and the schema is up to date', async () => {
    const { url: other } = await freshDatabase();
    await migrate(other);
    const admin = createPool({ url: other, applicationName: 'admin' });
    const plain = `plain_${randomBytes(6).toString('hex')}`;
    await admin.query(`CREATE ROLE ${plain} LOGIN PASSWORD '${PASSWORD}'`);
    const { rows } = await admin.query<{ name: string }>(
      "SELECT quote_ident(relname) AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'",
    );
    for (const { name } of rows) await admin.query(`ALTER TABLE ${name} OWNER TO ${plain}`);
    const functions = await admin.query<{ name: string }>(
      "SELECT oid::regprocedure AS name FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
    );
    for (const { name } of functions.rows) await admin.query(`ALTER FUNCTION ${name} OWNER TO ${plain}`);
    await admin.query(`GRANT CREATE ON SCHEMA public TO ${plain}`);
    await admin.end();
    const address = new URL(other);
    address.username = plain;
    address.password = encodeURIComponent(PASSWORD);
    await expect(migrate({ url: address.href, appRole: `${appRole}_2` })).rejects.toMatchObject({
      name: 'AppRoleError',
      code: 'CUTOVER_APP_ROLE',
      message: expect.stringMatching(
        `^migrate: DATABASE_APP_ROLE=${appRole}_2: permission denied to create role; migrate as an owner`,
      ),
      cause: expect.objectContaining({ code: '42501' }),
    });
  });
});

import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { accessStringsOf } from '../../lambda/contract/access.ts';
import { migrate } from '../../lambda/database/migrate.ts';
import { createPool } from '../../lambda/database/pool.ts';
import type { CheckReport } from '../../lambda/doctor/examination.ts';
import type { RedisServer } from '../../rehearsal/servers/redis.ts';
import { doctorCommand } from '../../scripts/doctor.ts';
import { cutover } from '../support/cli.ts';
import { helpOf } from '../support/help.ts';
import { lookInto } from '../support/redis.ts';
import { ownRedisCluster } from '../support/redis-kinds.ts';
import { freshDatabase, ownRedis, ownWorkspace } from '../support/servers.ts';
import { blackHole, frozen, refused } from '../support/unreachable-redis.ts';

type Environment = Record<string, string>;

const VOLATILE = ['--maxmemory', '64mb', '--maxmemory-policy', 'volatile-ttl'];
const rulesOf = (user: 'serverless' | 'census') =>
  accessStringsOf({ phase: 'isolated', env: 'test' })[user].split(' ');

let tls: RedisServer;
let plain: RedisServer;
let healthy: Environment;
/** As `healthy`, of a Redis on this machine that has no TLS. */
let local: Environment;

beforeAll(async () => {
  const users = {
    serverless: ['>secret', ...rulesOf('serverless')],
    census: ['>secret', ...rulesOf('census')],
  };
  tls = await ownRedis({ tls: true, args: VOLATILE, users });
  plain = await ownRedis({ args: VOLATILE });
  const ca = path.join((await ownWorkspace()).folder, 'ca.pem');
  writeFileSync(ca, tls.ca ?? '');
  const url = await migrated();
  const common = { NODE_ENV: 'test', MIGRATION_MODE: 'true', DATABASE_URL: url };
  healthy = {
    ...common,
    REDIS_URL: tls.url.replace('//', '//serverless:secret@'),
    CENSUS_REDIS_URL: tls.url.replace('//', '//census:secret@'),
    NODE_EXTRA_CA_CERTS: ca,
  };
  local = { ...common, REDIS_URL: plain.url };
  await present(await lookInto(tls.url, { ca: tls.ca }), { phase: 'isolated' });
  await present(await lookInto(plain.url), { phase: 'isolated' });
});

type Admin = Awaited<ReturnType<typeof lookInto>>;

async function present(
  { send }: Admin,
  { phase, env = 'test', id = '1' }: { phase: string; env?: string; id?: string },
) {
  const instance = { service: 'cutover-api', phase, env, mirror: false, startedAt: new Date().toISOString() };
  await send(['SET', `cutover:instance:cutover-api:${id}`, JSON.stringify(instance), 'EX', '600']);
}

async function migrated(): Promise<string> {
  const { url } = await freshDatabase();
  await migrate(url);
  return url;
}

async function changed(sql: string): Promise<string> {
  const url = await migrated();
  const pool = createPool({ url, applicationName: 'test', maxConnections: 1 });
  await pool.query(sql);
  await pool.end();
  return url;
}

async function doctor(environment: Environment) {
  const { exitCode, stdout, stderr } = await cutover(['doctor', '--json'], environment);
  expect(stderr).toBe('');
  const { checks } = JSON.parse(stdout) as { checks: CheckReport[] };
  const of = (...outcomes: string[]) => checks.filter(({ outcome }) => outcomes.includes(outcome));
  return { exitCode, checks, failed: of('fail'), notRun: of('not run'), warned: of('warn') };
}

describe('where all is well', () => {
  test('each check passes, as the users that are deployed', async () => {
    const { exitCode, checks } = await doctor(healthy);
    // How long a busy machine takes to answer is nobody's fault.
    const others = checks.filter(({ check, outcome }) => outcome !== 'pass' && !/latency|clock/.test(check));
    expect(others).toEqual([]);
    expect(exitCode).toBe(0);
    expect(checks.length).toBeGreaterThan(20);
  });

  test('a warning is no failure, and nothing is left behind', async () => {
    const admin = await lookInto(plain.url);
    const keys = async () => ((await admin.send(['KEYS', '*'])) as string[]).sort();
    const before = await keys();
    const { exitCode, warned } = await doctor(local);
    expect(exitCode).toBe(0);
    expect(warned.map(({ check }) => check)).toEqual(
      expect.arrayContaining(['redis tls', 'redis excess rights']),
    );
    expect(await keys()).toEqual(before);
  });

  test('is told to a person in lines, each fault with what to do', async () => {
    const { exitCode, stdout, stderr } = await cutover(['doctor'], { ...local, CW_CACHE_DUAL_WRITE: '1' });
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' });
    expect(stdout).toMatch(/^pass {5}NODE_ENV +test: the namespace cw:test:$/m);
    expect(stdout).toMatch(
      /^fail {5}phase variables +cache: MIGRATION_MODE and CW_CACHE_DUAL_WRITE exclude/m,
    );
    expect(stdout).toMatch(/^ {9,}unset one of them$/m);
    expect(stdout).toMatch(/^not run {2}redis rights +needs phase variables$/m);
    expect(stdout).toMatch(/^\d+ pass, \d+ warn, 1 fail, 1 not run\n$/m);
  });
});

interface Fault {
  readonly what: string;
  /** The one check that fails. */
  readonly check: string;
  readonly says: RegExp;
  readonly remedy: RegExp;
  readonly environment: () => Environment | Promise<Environment>;
  /** One that depends on it. */
  readonly thenNotRun?: string;
}

const FAULTS: readonly Fault[] = [
  {
    what: 'Redis is down',
    check: 'redis port',
    says: /cannot be reached \(ECONNREFUSED\)/,
    remedy: /start the server/,
    environment: async () => ({ ...local, REDIS_URL: (await refused()).url }),
    thenNotRun: 'redis memory',
  },
  {
    what: 'the name of Redis does not resolve',
    check: 'redis address',
    says: /^nobody\.invalid has no address/,
    remedy: /correct the host of REDIS_URL/,
    environment: () => ({ ...local, REDIS_URL: 'redis://nobody.invalid:6379' }),
    thenNotRun: 'redis port',
  },
  {
    what: 'packets to Redis are dropped',
    check: 'redis port',
    says: /packets to it are dropped/,
    remedy: /security group/,
    environment: async () => ({ ...local, REDIS_URL: (await blackHole()).url }),
    thenNotRun: 'redis login',
  },
  {
    what: 'Redis is frozen',
    check: 'redis login',
    says: /^no greeting/,
    remedy: /frozen/,
    environment: async () => ({ ...local, REDIS_URL: (await frozen()).url }),
    thenNotRun: 'redis rights',
  },
  {
    what: 'the password is wrong',
    check: 'redis login',
    says: /^WRONGPASS/,
    remedy: /correct the user and the password of REDIS_URL/,
    environment: () => ({ ...healthy, REDIS_URL: tls.url.replace('//', '//serverless:wrong@') }),
    thenNotRun: 'redis rights',
  },
  {
    what: 'the password is missing',
    check: 'redis login',
    says: /^NOAUTH/,
    remedy: /correct the user and the password of REDIS_URL/,
    environment: async () => ({
      ...local,
      REDIS_URL: (await ownRedis({ args: ['--requirepass', 'x'] })).url,
    }),
    thenNotRun: 'redis version',
  },
  {
    what: 'the URL has no TLS and the server nothing else',
    check: 'redis tls',
    says: /the server speaks nothing but TLS/,
    remedy: /write rediss:\/\/ in REDIS_URL/,
    environment: () => ({ ...healthy, REDIS_URL: healthy['REDIS_URL']?.replace('rediss:', 'redis:') ?? '' }),
    thenNotRun: 'redis login',
  },
  {
    what: 'the URL has TLS and the server none',
    check: 'redis tls',
    says: /./,
    remedy: /write redis:\/\//,
    environment: () => ({ ...local, REDIS_URL: plain.url.replace('redis:', 'rediss:') }),
    thenNotRun: 'redis login',
  },
  {
    what: 'nobody trusts the certificate',
    check: 'redis tls',
    says: /certificate/,
    remedy: /NODE_EXTRA_CA_CERTS/,
    environment: () => ({ ...local, REDIS_URL: tls.url }),
    thenNotRun: 'redis login',
  },
  {
    what: 'the ACL is too narrow',
    check: 'redis rights',
    says: /^too narrow: it lacks \+pexpire \+hset ~v2:mocs:\*$/,
    remedy: /lambda\/contract\/access\.ts/,
    async environment() {
      const rules = rulesOf('serverless').filter(
        (rule) => !['+pexpire', '+hset', '~v2:mocs:*'].includes(rule),
      );
      const { url } = await ownRedis({ args: VOLATILE, users: { narrow: ['nopass', ...rules] } });
      return { ...local, REDIS_URL: url.replace('//', '//narrow:x@'), CENSUS_REDIS_URL: url };
    },
  },
  {
    what: 'Redis is full, and does not evict',
    check: 'redis eviction',
    says: /^noeviction, and full to \d+ %: it refuses every write$/,
    remedy: /volatile-ttl/,
    async environment() {
      const { url } = await ownRedis({ args: ['--maxmemory', '3mb', '--maxmemory-policy', 'noeviction'] });
      const { send } = await lookInto(url);
      const block = 'x'.repeat(16 * 1024);
      for (let count = 0; ; count += 1) {
        const error = await send(['SET', `jobs:${count}`, block]).then(
          () => undefined,
          (refusal: Error) => refusal,
        );
        if (error?.message.startsWith('OOM ')) return { ...local, REDIS_URL: url };
      }
    },
    thenNotRun: 'redis memory',
  },
  {
    what: 'Redis evicts what has no TTL',
    check: 'redis eviction',
    says: /^allkeys-lru: a full memory evicts sessions/,
    remedy: /volatile-ttl/,
    environment: async () => ({
      ...local,
      REDIS_URL: (await ownRedis({ args: ['--maxmemory-policy', 'allkeys-lru'] })).url,
    }),
    thenNotRun: 'redis memory',
  },
  {
    what: 'it is a replica',
    check: 'redis primary',
    says: /^a replica of 127\.0\.0\.1:\d+/,
    remedy: /name the primary in REDIS_URL/,
    environment: async () => ({
      ...local,
      REDIS_URL: (await ownRedis({ args: [...VOLATILE, '--replicaof', '127.0.0.1', `${plain.port}`] })).url,
    }),
    thenNotRun: 'redis eviction',
  },
  {
    what: 'REDIS_CLUSTER is set for a server that is none of a cluster',
    check: 'redis cluster mode',
    says: /the server is none of a cluster/,
    remedy: /^unset REDIS_CLUSTER$/,
    environment: () => ({ ...local, REDIS_CLUSTER: '1' }),
    thenNotRun: 'redis primary',
  },
  {
    what: 'REDIS_CLUSTER is not set for one that is',
    check: 'redis cluster mode',
    says: /the server is one of a cluster/,
    remedy: /^set REDIS_CLUSTER=1$/,
    environment: async () => ({ ...local, REDIS_URL: (await cluster()).url }),
    thenNotRun: 'redis primary',
  },
  {
    what: 'the Redis is in use under another name',
    check: 'redis environment',
    says: /NODE_ENV is test, and this Redis is in use under production/,
    remedy: /set NODE_ENV=production/,
    async environment() {
      const { url } = await ownRedis({ args: VOLATILE });
      await (await lookInto(url)).send(['SET', 'cutover:env', 'production']);
      return { ...local, REDIS_URL: url };
    },
    thenNotRun: 'instances',
  },
  {
    what: 'two processes are more than a step apart',
    check: 'instances',
    says: /isolated and prefixed are more than one step apart/,
    remedy: /isolated goes with legacy/,
    async environment() {
      const { url } = await ownRedis({ args: VOLATILE });
      const admin = await lookInto(url);
      await present(admin, { phase: 'isolated' });
      await present(admin, { phase: 'prefixed', id: '2' });
      return { ...local, REDIS_URL: url };
    },
  },
  {
    what: 'REDIS_URL is no URL',
    check: 'redis url',
    says: /REDIS_URL=localhost:6379 is not a redis/,
    remedy: /^write redis:\/\/host:6379/,
    environment: () => ({ ...local, REDIS_URL: 'localhost:6379' }),
    thenNotRun: 'redis address',
  },
  {
    what: 'PostgreSQL is down',
    check: 'database port',
    says: /cannot be reached \(ECONNREFUSED\)/,
    remedy: /correct the port of DATABASE_URL/,
    environment: () => ({ ...local, DATABASE_URL: 'postgresql://x@127.0.0.1:1/y' }),
    thenNotRun: 'outbox',
  },
  {
    what: 'the password of PostgreSQL is wrong',
    check: 'database login',
    says: /password authentication failed/,
    remedy: /correct the user and the password of DATABASE_URL/,
    environment: () => ({
      ...local,
      DATABASE_URL: local['DATABASE_URL']?.replace(/:[0-9a-f]+@/, ':wrong@') ?? '',
    }),
    thenNotRun: 'database triggers',
  },
  {
    what: 'the database does not exist',
    check: 'database login',
    says: /database "nowhere" does not exist/,
    remedy: /correct the name of the database/,
    environment: () => ({
      ...local,
      DATABASE_URL: local['DATABASE_URL']?.replace(/[^/]+$/, 'nowhere') ?? '',
    }),
    thenNotRun: 'database migrations',
  },
  {
    what: 'DATABASE_URL is not set',
    check: 'database url',
    says: /DATABASE_URL is not set/,
    remedy: /postgresql:\/\/user:password@host/,
    environment: () => ({ ...local, DATABASE_URL: '' }),
    thenNotRun: 'database login',
  },
  {
    what: 'no migration was applied',
    check: 'database migrations',
    says: /^none was ever applied/,
    remedy: /run the function migrate/,
    environment: async () => ({ ...local, DATABASE_URL: (await freshDatabase()).url }),
    thenNotRun: 'database triggers',
  },
  {
    what: 'a migration is missing',
    check: 'database migrations',
    says: /^missing: 0004-classroom$/,
    remedy: /run the function migrate/,
    environment: async () => ({
      ...local,
      DATABASE_URL: await changed("DELETE FROM kysely_migration WHERE name = '0004-classroom'"),
    }),
    thenNotRun: 'outbox',
  },
  {
    what: 'triggers are missing',
    check: 'database triggers',
    says: /^mocs has no trigger for rows, mocs has no trigger for TRUNCATE$/,
    remedy: /run the function migrate/,
    environment: async () => ({
      ...local,
      DATABASE_URL: await changed(
        'DROP TRIGGER cutover_outbox_rows ON mocs; DROP TRIGGER cutover_outbox_truncate ON mocs',
      ),
    }),
  },
  {
    what: 'a trigger is disabled',
    check: 'database triggers',
    says: /^albums: the trigger for rows is disabled$/,
    remedy: /run the function migrate/,
    environment: async () => ({
      ...local,
      DATABASE_URL: await changed('ALTER TABLE albums DISABLE TRIGGER cutover_outbox_rows'),
    }),
  },
  {
    what: 'a trigger reports what another registry names',
    check: 'database triggers',
    says: /^wishlist: the trigger for rows is of another version, wishlist: the trigger for TRUNCATE is of another/,
    remedy: /run the function migrate/,
    environment: async () => ({
      ...local,
      DATABASE_URL: await changed(
        `UPDATE pg_proc SET prosrc = replace(prosrc, 'wishlist:user:', 'wishes:user:') WHERE proname LIKE 'cutover_outbox%'`,
      ),
    }),
  },
  {
    what: 'a table of the registry is missing',
    check: 'database triggers',
    says: /^table gallery is not there$/,
    remedy: /run the function migrate/,
    environment: async () => ({ ...local, DATABASE_URL: await changed('DROP TABLE gallery') }),
  },
  {
    what: 'nobody dispatches',
    check: 'outbox',
    says: /^1 not confirmed, the oldest for 6\d\d s/,
    remedy: /log of the dispatcher/,
    environment: async () => ({
      ...local,
      DATABASE_URL: await changed(
        "INSERT INTO cutover_outbox (kind, name, created_at) VALUES ('key', 'mocs:user:1:list', now() - interval '10 minutes')",
      ),
    }),
  },
  {
    what: 'phases contradict each other',
    check: 'phase variables',
    says: /MIGRATION_MODE and CW_CACHE_PREFIX_ENABLED exclude each other/,
    remedy: /^unset one of them$/,
    environment: () => ({ ...local, CW_CACHE_PREFIX_ENABLED: '1' }),
    thenNotRun: 'redis rights',
  },
  {
    what: 'half of a phase is set',
    check: 'phase variables',
    says: /CW_CACHE_DUAL_WRITE is set without CW_CACHE_PREFIX_ENABLED/,
    remedy: /^set both, or unset it$/,
    environment: () => ({ ...local, MIGRATION_MODE: '0', CW_CACHE_DUAL_WRITE: '1' }),
    thenNotRun: 'redis rights',
  },
  {
    what: 'NODE_ENV is not set',
    check: 'NODE_ENV',
    says: /NODE_ENV= cannot name a namespace/,
    remedy: /^set it to 1-32 letters/,
    environment: () => ({ ...local, NODE_ENV: '' }),
    thenNotRun: 'redis environment',
  },
];

let startedCluster: ReturnType<typeof ownRedisCluster> | undefined;
const cluster = () => {
  startedCluster ??= ownRedisCluster({ primaries: 3, args: VOLATILE });
  return startedCluster;
};

describe('one fault is named once, with its remedy', () => {
  test.each(FAULTS)('$what: $check', async ({ check, says, remedy, environment, thenNotRun }) => {
    const { exitCode, failed, notRun } = await doctor(await environment());
    expect(failed).toEqual([
      { check, outcome: 'fail', text: expect.stringMatching(says), remedy: expect.stringMatching(remedy) },
    ]);
    expect(exitCode).toBe(1);
    // All that was not run depends on it.
    expect(notRun.map(({ text }) => text)).toEqual(notRun.map(() => `needs ${check}`));
    if (thenNotRun) expect(notRun.map((each) => each.check)).toContain(thenNotRun);
    else expect(notRun).toEqual([]);
  });
});

test('a cluster, each of whose primaries is asked', async () => {
  const { url } = await cluster();
  const { exitCode, checks } = await doctor({ ...local, REDIS_URL: url, REDIS_CLUSTER: '1' });
  expect(checks).toContainEqual({ check: 'redis primary', outcome: 'pass', text: '3 primaries' });
  expect(exitCode).toBe(0);
});

test('a check that its user may not make is not run, and does not count as passed', async () => {
  const { CENSUS_REDIS_URL: _census, ...alone } = healthy;
  const { exitCode, failed, notRun } = await doctor(alone);
  expect(failed).toEqual([]);
  expect(notRun).toEqual([
    {
      check: 'instances',
      outcome: 'not run',
      text: expect.stringMatching(/^Redis refuses it to this user: NOPERM .*'scan'/),
      remedy: 'name in CENSUS_REDIS_URL a user who may SCAN',
    },
  ]);
  expect(exitCode).toBe(1);
});

test('no password is in what it says', async () => {
  const passwords = { REDIS_URL: 'redis://u:hunter2@127.0.0.1:1', DATABASE_URL: 'mysql://u:hunter2@h/x' };
  const { stdout } = await cutover(['doctor', '--json'], { ...local, ...passwords });
  expect(stdout).not.toContain('hunter2');
});

test.each([
  [['--stage', 'dev'], /^doctor: --stage dev and REDIS_URL are both set/],
  [['--yaml'], /unknown option '--yaml'/],
])('%j is bad usage: exit code 2', async (args, message) => {
  const { exitCode, stdout, stderr } = await cutover(['doctor', ...args], local);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  expect(stderr).toMatch(message);
});

test('--help says what there is', () => {
  const help = helpOf(doctorCommand);
  for (const phrase of ['--json', '--stage <name>', 'DATABASE_URL', 'CENSUS_REDIS_URL', 'Exit codes: 0']) {
    expect(help).toContain(phrase);
  }
});

import { afterAll, beforeAll, describe, expect, it, test } from '@jest/globals';
import { accessStringsOf, REDIS_USERS, type RedisUser } from '../../../lambda/contract/access.ts';
import { PHASE_SWITCHES, type Phase } from '../../../lambda/contract/environment.ts';
import { FAMILIES, type Family } from '../../../lambda/contract/families.ts';
import { NEIGHBOURS } from '../../../lambda/contract/namespaces.ts';
import type { RedisConnection } from '../../../lambda/redis/connection.ts';
import { createRedisUsers, type RedisUrls } from '../../../rehearsal/redis-users.ts';
import { lookInto } from '../../support/redis.ts';
import { ownRedis } from '../../support/servers.ts';

const ENV = 'production';
const PHASES = Object.keys(PHASE_SWITCHES) as Phase[];

let url: string;
let admin: RedisConnection;
beforeAll(async () => {
  ({ url } = await ownRedis());
  admin = await lookInto(url);
});

/** What the server would say to a user; nothing is run. */
async function may(user: RedisUser, command: string): Promise<boolean> {
  const answer = await admin.send(['ACL', 'DRYRUN', user, ...command.split(' ')]);
  return String(answer) === 'OK';
}

/** The users for whom the server would run a command. */
async function whoMay(command: string): Promise<RedisUser[]> {
  const answers = await Promise.all(REDIS_USERS.map((user) => may(user, command)));
  return REDIS_USERS.filter((_, index) => answers[index]);
}

const CW = `cw:${ENV}:`;

/** In every phase. */
const TABLE: readonly [command: string, who: readonly RedisUser[]][] = [
  // The cached lists: the legacy backend's, and the serverless backend's in each namespace.
  ['GET mocs:user:1:list', ['serverless', 'flush', 'auditor', 'legacy']],
  ['SET mocs:user:1:list x', ['serverless', 'legacy']],
  ['UNLINK mocs:user:1:list', ['serverless', 'flush', 'legacy']],
  ['GET v2:mocs:user:1:list', ['serverless', 'flush', 'auditor', 'legacy-twins']],
  ['SET v2:mocs:user:1:list x', ['serverless']],
  ['EVAL script 1 v2:mocs:user:1:list', ['serverless']],
  ['EVAL script 1 mocs:user:1:list', ['serverless', 'legacy']],
  ['UNLINK v2:mocs:user:1:list', ['serverless', 'flush', 'legacy-twins']],
  [`SET ${CW}mocs:user:1:list x`, ['serverless']],
  [`UNLINK ${CW}mocs:user:1:list`, ['serverless', 'flush', 'legacy-twins']],
  ['UNLINK cw:staging:mocs:user:1:list', []],
  // State, which no phase keeps in v2:.
  ['GET sessions:1', ['serverless', 'backfill', 'legacy', 'legacy-state']],
  ['SET sessions:1 x', ['serverless', 'backfill', 'legacy', 'legacy-state']],
  ['UNLINK sessions:1', ['serverless', 'backfill', 'legacy', 'legacy-state']],
  ['HSET analytics:session:1 count:legacy:joined 1', ['serverless', 'backfill', 'legacy', 'legacy-state']],
  ['COPY sessions:1 cw:production:sessions:1', ['backfill']],
  ['COPY sessions:1 mocs:user:1:list', ['legacy']],
  ['COPY sessions:1 v2:sessions:1', []],
  // Counted in both homes, and carried by nobody.
  ['EVAL script 2 rl:login:{1} cw:production:rl:login:{1}', ['serverless', 'legacy-state']],
  ['GET rl:login:{1}', ['serverless', 'legacy', 'legacy-state']],
  ['SET v2:sessions:1 x', []],
  ['UNLINK v2:sessions:1', []],
  // The protocol's own keys.
  ['SET cutover:lease:{mocs:1}:mocs:1 t NX PX 6000 GET', ['serverless', 'legacy']],
  ['SET cutover:epoch:user:1 e', ['serverless', 'legacy']],
  ['GET cutover:env', ['serverless', 'flush', 'auditor', 'backfill', 'legacy']],
  ['SET cutover:replayed x', ['serverless', 'legacy']],
  ['SET cutover:instance:legacy:1 x EX 120', ['serverless', 'legacy']],
  ['GET cutover:instance:legacy:1', ['serverless', 'auditor', 'legacy']],
  ['SET cutover:seen:{mocs:1}:mocs:1 1 PX 180000', ['serverless', 'legacy']],
  ['PTTL cutover:seen:{mocs:1}:mocs:1', ['serverless', 'census', 'auditor', 'legacy']],
  ['SET cutover:other x', []],
  // Of no family.
  ['GET orders:1', []],
  ['SET mocs x', []],
  ['SET v2:orders:1 x', []],
  // To look at, for those who count.
  ['SCAN 0', ['flush', 'census', 'auditor', 'backfill', 'legacy']],
  ['MEMORY USAGE orders:1', ['census']],
  ['PTTL sessions:1', ['serverless', 'census', 'backfill', 'legacy', 'legacy-state']],
  ['INFO', [...REDIS_USERS]],
  ['PING', [...REDIS_USERS]],
  // Nobody.
  ...['FLUSHALL', 'FLUSHDB', 'CONFIG GET maxmemory', 'CONFIG SET maxmemory 1', 'KEYS *', 'MONITOR'].map(
    (command): [string, RedisUser[]] => [command, []],
  ),
  ...['SHUTDOWN', 'ACL LIST', 'DEBUG SLEEP 1', 'CLIENT KILL ID 1', 'SWAPDB 0 1', 'REPLICAOF no one'].map(
    (command): [string, RedisUser[]] => [command, []],
  ),
];

describe.each(PHASES)('in phase %s', (phase) => {
  beforeAll(() => createRedisUsers({ send: admin.send, url }, { phase, env: ENV }));

  test.each(TABLE)('%s is for %j', async (command, who) => {
    expect(await whoMay(command)).toEqual(who);
  });

  it('lets the stores of both backends say in both homes that a session has ended, as a neighbour or its neighbour does', async () => {
    expect(await whoMay(`SET ${CW}sessions:1 x`)).toEqual(['serverless', 'backfill', 'legacy-state']);
  });
});

describe('what the server itself says', () => {
  let urls: RedisUrls;
  const as = (user: RedisUser, command: string) =>
    lookInto(urls[user]).then((connection) => connection.send(command.split(' ')));
  beforeAll(async () => {
    urls = await createRedisUsers({ send: admin.send, url }, { phase: 'isolated', env: ENV });
    await admin.send(['SET', 'sessions:1', 'mine']);
  });
  afterAll(() => admin.send(['FLUSHALL']));

  it('answers a session to the serverless user', async () => {
    expect(await as('serverless', 'GET sessions:1')).toBe('mine');
  });

  it.each<[RedisUser, string]>([
    ['serverless', 'FLUSHALL'],
    ['serverless', 'CONFIG GET *'],
    ['serverless', 'SCAN 0'],
    ['flush', 'GET sessions:1'],
    ['flush', 'UNLINK sessions:1'],
    ['census', 'GET sessions:1'],
    ['census', 'UNLINK mocs:user:1:list'],
    ['auditor', 'GET sessions:1'],
    ['auditor', 'UNLINK mocs:user:1:list'],
    ['backfill', 'GET mocs:user:1:list'],
    ['backfill', 'RESTORE v2:sessions:1 0 x'],
    ['legacy', 'SET v2:mocs:user:1:list x'],
    ['legacy', 'DEL cw:production:mocs:user:1:list'],
    ['legacy-twins', 'SET v2:mocs:user:1:list x'],
    ['legacy-twins', 'UNLINK sessions:1'],
    ['legacy-state', 'UNLINK mocs:user:1:list'],
    ['legacy', 'SET cw:production:sessions:1 x'],
  ])('refuses %s %s', async (user, command) => {
    await expect(as(user, command)).rejects.toThrow('NOPERM');
  });

  it('refuses a script what its user may not', async () => {
    const script = "return redis.call('SET','v2:mocs:user:1:list','x')";
    const legacy = await lookInto(urls.legacy);
    await expect(legacy.send(['EVAL', script, '0'])).rejects.toThrow(/can't access|NOPERM/);
    expect(await admin.send(['EXISTS', 'v2:mocs:user:1:list'])).toBe(0);
  });

  it('would let a serverless user scan with the right to', async () => {
    await admin.send(['ACL', 'SETUSER', 'serverless', '+scan']);
    await expect(as('serverless', 'SCAN 0')).resolves.toBeDefined();
  });
});

describe('the rights', () => {
  const ORDERS: Family = { name: 'orders', kind: 'cache', onFlush: 'flush', ttlSeconds: 60 };
  const carts: Family = { name: 'carts', kind: 'state', onFlush: 'preserve' };

  it('follow the registry', () => {
    const before = accessStringsOf({ phase: 'isolated', env: ENV });
    const after = accessStringsOf({ phase: 'isolated', env: ENV, families: [...FAMILIES, ORDERS, carts] });
    const added = (user: RedisUser) =>
      after[user].split(' ').filter((rule) => !before[user].split(' ').includes(rule));
    const everywhere = ['~orders:*', '~v2:orders:*', `~${CW}orders:*`];
    expect(added('serverless')).toEqual([...everywhere, '~carts:*', `~${CW}carts:*`]);
    expect(added('flush')).toEqual(everywhere);
    expect(added('census')).toEqual([]);
    expect(added('auditor')).toEqual(everywhere);
    expect(added('backfill')).toEqual(['~carts:*', `~${CW}carts:*`]);
    expect(added('legacy')).toEqual(['~orders:*', '~carts:*']);
    expect(added('legacy-state')).toEqual(['~carts:*', `~${CW}carts:*`]);
    expect(added('legacy-twins')).toEqual(['~v2:orders:*', `~${CW}orders:*`]);
  });

  it('of a phase are enough for the phases beside it', () => {
    /** Where the serverless backend keeps sessions in a phase. */
    const homes: Record<Phase, readonly string[]> = {
      legacy: ['~sessions:*'],
      isolated: ['~sessions:*'],
      dual: [`~${CW}sessions:*`, '~sessions:*'],
      prefixed: [`~${CW}sessions:*`],
    };
    for (const phase of PHASES) {
      const rules = accessStringsOf({ phase, env: ENV }).serverless.split(' ');
      for (const each of [phase, ...NEIGHBOURS[phase]]) {
        expect(rules).toEqual(expect.arrayContaining([...homes[each]]));
      }
    }
  });

  it('begin from nothing, and have neither selectors nor rights to read only, which Redis 6 does not know', () => {
    for (const string of Object.values(accessStringsOf({ phase: 'dual', env: ENV }))) {
      expect(string).toMatch(/^on ~.* -@all \+/);
      expect(string).not.toMatch(/[()%]|~\*.*\+set|allkeys|allcommands/);
    }
  });

  it('of a family with a letter that patterns have are for its own keys', () => {
    const odd: Family = { ...ORDERS, name: 'a*b' };
    expect(accessStringsOf({ phase: 'legacy', env: ENV, families: [odd] }).legacy).toContain('~a\\*b:*');
  });
});

import { beforeAll, expect, test } from '@jest/globals';
import { type Importer, importer } from '../support/importer.ts';
import { ownRedis } from '../support/servers.ts';

/** What a team writes that installs the package: all three entry points, on a real Redis. */
const PROGRAM = `
import { type Cache, connectRedis, createCache, createKeyspace, InvalidKeyError, redisStore } from 'cutover/cache';
import { type Family, familyOf } from 'cutover/families';
import { mirror } from 'cutover/mirror';
import { createClient } from 'redis';

const families: readonly Family[] = [{ name: 'carts', kind: 'cache', onFlush: 'flush', ttlSeconds: 60 }];
const url = process.env['REDIS_URL'] ?? '';
const redis = connectRedis({ url, name: 'importer' });
await redis.ready(5000);
const keyspace = createKeyspace({ phase: 'isolated', env: 'test', families });
const cache: Cache = createCache({ keyspace, store: redisStore(redis.send) });
const client = createClient({ url });
await client.connect();
const legacy: typeof client = mirror(client, { env: 'test', families });

const read = () => cache.resolve('carts:1', async () => ({ items: 2 }));
const outcomes = [(await read()).outcome, (await read()).outcome];
await legacy.del('carts:1');
outcomes.push((await read()).outcome);
const refused = await cache.resolve('unknown:1', async () => 0).catch((error: unknown) => error);
console.log(JSON.stringify({ outcomes, family: familyOf('carts:1', families)?.name, refused: refused instanceof InvalidKeyError }));
client.destroy();
redis.close();
`;

const MISUSES = {
  'an option that does not exist': `import { createKeyspace } from 'cutover/cache';
createKeyspace({ phase: 'isolated', environment: 'test' });`,
  'a phase that does not exist': `import { createKeyspace } from 'cutover/cache';
createKeyspace({ phase: 'halfway', env: 'test' });`,
  'a value used as what the loader does not answer': `import type { Cache } from 'cutover/cache';
export const wrong = async (cache: Cache): Promise<string> => (await cache.resolve('mocs:1', async () => 1)).value;`,
  'a module that is not public': `import { drawToken } from 'cutover/cache/lease.js';
drawToken();`,
};

let project: Importer;

beforeAll(async () => {
  project = await importer();
});

test('a program on the packed package type-checks under nodenext and strict, and runs with plain node', async () => {
  expect(await project.compile({ program: PROGRAM })).toBe('');
  const { url } = await ownRedis();
  expect(JSON.parse(await project.run('program', { REDIS_URL: url }))).toEqual({
    outcomes: ['miss', 'hit', 'miss'],
    family: 'carts',
    refused: true,
  });
});

test('the types are there: each misuse is refused where it stands', async () => {
  const names = Object.keys(MISUSES).map((_, index) => `misuse-${index}`);
  const sources = Object.values(MISUSES).map((source, index) => [names[index], source] as const);
  const complaints = await project.compile(Object.fromEntries(sources));
  const refused = new Set(
    [...complaints.matchAll(/^(misuse-\d+)\.ts\(\d+,\d+\): error/gm)].map(([, name]) => name),
  );
  expect([...refused].sort()).toEqual(names);
});

import { describe, expect, test } from '@jest/globals';
import { createKeyspace } from '../../../lambda/cache/keyspace.ts';
import { listKey } from '../../../lambda/collections/schema.ts';
import {
  COLLECTIONS,
  FAMILIES,
  type Family,
  familyOf,
  patternOf,
  sourcesOf,
} from '../../../lambda/contract/families.ts';
import { globToRegExp } from '../../../lambda/flush/plan/glob.ts';

const families = FAMILIES.map((family) => [family.name, family] as const);

describe('the registry', () => {
  test('has each name once', () => {
    expect(new Set(FAMILIES.map(({ name }) => name)).size).toBe(FAMILIES.length);
  });

  test('has a family for each collection, and the states of requirements R4 and R24', () => {
    const names = FAMILIES.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining([...COLLECTIONS, 'sessions', 'ratelimit', 'user-profiles']));
    expect(names).toEqual(expect.arrayContaining(['rl', 'secure_session', 'csrf']));
  });
});

describe.each(families)('the family %s', (name, family) => {
  test('has a name that is one word, and begins no namespace', () => {
    expect(name).toMatch(/^[a-z][a-z0-9_-]*$/);
    expect(['v2', 'cw', 'cutover']).not.toContain(name);
  });

  test('is found by its keys, and its pattern matches these and no other', () => {
    const keys = FAMILIES.flatMap((each) => [`${each.name}:user:1:list`, each.name, `${each.name}X:1`]);
    const own = [`${name}:user:1:list`];
    expect(keys.filter((key) => familyOf(key) === family)).toEqual(own);
    expect(keys.filter((key) => globToRegExp(patternOf(family)).test(key))).toEqual(own);
  });

  test('can be located, in every phase', () => {
    for (const phase of ['legacy', 'isolated'] as const) {
      expect(createKeyspace({ phase, env: 'test' }).locate(`${name}:1`).family).toBe(family);
    }
  });

  test(family.kind === 'cache' ? 'expires, and may be flushed' : 'is state, and is preserved', () => {
    const { ttlSeconds, onFlush } = family;
    if (family.kind === 'cache') expect(ttlSeconds).toBeGreaterThan(0);
    expect(onFlush).toBe(family.kind === 'cache' ? 'flush' : 'preserve');
  });
});

const sources = families.flatMap(([name, family]) =>
  sourcesOf(family).map(({ table, keyTemplate }) => [name, table, keyTemplate] as const),
);

describe.each(sources)('the source of %s in table %s', (name, table, keyTemplate) => {
  test('is named as PostgreSQL names tables', () => {
    expect(table).toMatch(/^[a-z][a-z0-9_]*$/);
  });

  test('gives keys of the family, with at least one column', () => {
    expect(keyTemplate.startsWith(`${name}:`)).toBe(true);
    expect(keyTemplate.match(/\{[a-z_]+\}/g)?.length).toBeGreaterThan(0);
    expect(keyTemplate.replace(/\{[a-z_]+\}/g, '')).not.toMatch(/[{}]/);
  });
});

test.each(COLLECTIONS)('the template of %s gives the key under which the API caches it', (collection) => {
  const [source] = sourcesOf(familyOf(`${collection}:`) as Family);
  expect(source?.keyTemplate.replace('{user_id}', '123')).toBe(listKey({ userId: '123', collection }));
});

test.each([
  '',
  ':',
  'mocs',
  'mocsX:1',
  'MOCS:1',
  ' mocs:1',
  ':mocs:1',
  'v2:mocs:1',
  'toString:1',
  '__proto__:1',
])('the key %j is of no family', (key) => {
  expect(familyOf(key)).toBeUndefined();
});

test('another registry is asked in its own terms', () => {
  const users: Family = { name: 'users', kind: 'cache', onFlush: 'flush', ttlSeconds: 60 };
  expect(familyOf('users:1', [users])).toBe(users);
  expect(familyOf('usersAbc:1', [users])).toBeUndefined();
  expect(familyOf('mocs:1', [users])).toBeUndefined();
});

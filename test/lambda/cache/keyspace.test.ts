import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createKeyspace, InvalidKeyError } from '../../../lambda/cache/keyspace.ts';
import type { Phase } from '../../../lambda/cache/phase.ts';
import { FAMILIES, type Family } from '../../../lambda/contract/families.ts';

const phases: readonly Phase[] = ['legacy', 'isolated', 'dual', 'prefixed'];
const spaces = phases.map((phase) => createKeyspace({ phase, env: 'production' }));
const cacheFamilies = FAMILIES.filter(({ kind }) => kind === 'cache').map(({ name }) => name);
const printable = fc
  .string({ minLength: 1, maxLength: 60 })
  .filter((text) => !/[\u0000-\u001f\u007f-\u009f]/.test(text));
const cacheKey = fc
  .tuple(fc.constantFrom(...cacheFamilies), printable)
  .map(([family, rest]) => `${family}:${rest}`);

describe('locate', () => {
  test('reads and fills where the phase says', () => {
    const [legacy, isolated, dual, prefixed] = spaces.map((space) => space.locate('mocs:user:123:list'));
    expect([dual?.home, prefixed?.home]).toEqual(Array(2).fill('cw:production:mocs:user:123:list'));
    expect(spaces.map((space) => space.locate('mocs:1').fillsLegacy)).toEqual([false, false, true, false]);
    expect(legacy).toMatchObject({
      home: 'mocs:user:123:list',
      leaseAt: 'cutover:lease:{mocs:user:123:list}:mocs:user:123:list',
    });
    expect(isolated).toMatchObject({ home: 'v2:mocs:user:123:list', leaseAt: 'v2:mocs:user:123:list' });
  });

  test('names the same keys in an invalidation in every phase: C, K, then each namespace', () => {
    fc.assert(
      fc.property(cacheKey, (key) => {
        const [legacy, ...others] = spaces.map((space) => space.locate(key).invalidation);
        for (const other of others) expect(other).toEqual(legacy);
        expect(legacy?.slice(1)).toEqual([key, `v2:${key}`, `cw:production:${key}`]);
        expect(legacy?.[0]).toContain('cutover:lease:');
      }),
    );
  });

  test('what one phase fills, an invalidation by the other removes', () => {
    fc.assert(
      fc.property(cacheKey, fc.constantFrom(...spaces), fc.constantFrom(...spaces), (key, filler, writer) => {
        const filled = filler.locate(key);
        expect(writer.locate(key).invalidation).toEqual(
          expect.arrayContaining([filled.home, filled.leaseAt]),
        );
      }),
    );
  });

  test('keeps state where it is in the v2 migration, and moves it in the cw migration', () => {
    expect(spaces.map((space) => space.locate('sessions:abc').home)).toEqual([
      'sessions:abc',
      'sessions:abc',
      'cw:production:sessions:abc',
      'cw:production:sessions:abc',
    ]);
  });

  test('puts the lease into the slot of the key, also of a key with a hash tag of its own', () => {
    const [space] = spaces;
    expect(space?.locate('gallery:{g1}:x').fence).toBe('cutover:lease:{g1}:gallery:{g1}:x');
    expect(space?.locate('gallery:{}:x').fence).toBe('cutover:lease:{gallery:{}:x}:gallery:{}:x');
  });
});

describe('logicalOf', () => {
  test('takes back what locate put before the key', () => {
    fc.assert(
      fc.property(cacheKey, fc.constantFrom(...spaces), (key, space) => {
        const { home, legacy, namespaced } = space.locate(key);
        for (const physical of [home, legacy, ...namespaced]) expect(space.logicalOf(physical)).toBe(key);
      }),
    );
  });

  test('namespaces are disjoint: no two logical keys share a physical one', () => {
    fc.assert(
      fc.property(cacheKey, cacheKey, fc.constantFrom(...spaces), (one, other, space) => {
        fc.pre(one !== other);
        const places = new Set<string>(space.locate(one).invalidation);
        expect(space.locate(other).invalidation.filter((key) => places.has(key))).toEqual([]);
      }),
    );
  });
});

describe('a key that no entry can have', () => {
  test.each([
    ['', 'empty'],
    ['mocs:\nuser', 'control characters'],
    ['mocs:\u0085', 'control characters'],
    [`mocs:${'x'.repeat(508)}`, 'longer than 512 bytes'],
    [`mocs:${'ü'.repeat(254)}`, 'longer than 512 bytes'],
    [`mocs:${'€'.repeat(170)}`, 'longer than 512 bytes'],
    [`mocs:${'😀'.repeat(127)}`, 'longer than 512 bytes'],
    ['v2:mocs:user:1:list', 'carries a namespace'],
    ['cw:production:mocs:1', 'carries a namespace'],
    ['cutover:lease:{x}:x', 'carries a namespace'],
    ['mocsX:user:1', 'of no family'],
    ['mocs', 'of no family'],
  ])('%j is refused: %s', (key, reason) => {
    const [space] = spaces;
    expect(() => space?.locate(key)).toThrow(InvalidKeyError);
    expect(() => space?.locate(key)).toThrow(reason);
    expect(space?.tryLocate(key)).toBeUndefined();
  });

  test('512 bytes are not too long, whatever they spell', () => {
    for (const [text, count] of [
      ['ü', 253],
      ['€', 169],
      ['😀', 126],
    ] as const) {
      const key = `mocs:${text.repeat(count)}`;
      expect(Buffer.byteLength(key)).toBeLessThanOrEqual(512);
      expect(Buffer.byteLength(`${key}${text}`)).toBeGreaterThan(512);
      expect(spaces[0]?.tryLocate(key)).toBeDefined();
    }
    expect(spaces[0]?.locate(`mocs:${'x'.repeat(507)}`).family.name).toBe('mocs');
  });
});

test('a family that the team adds is located, and a key of its name before was not', () => {
  const added: Family = { name: 'quotes', kind: 'cache', onFlush: 'flush', ttlSeconds: 7 };
  const space = createKeyspace({ phase: 'isolated', env: 'test', families: [...FAMILIES, added] });
  expect(space.locate('quotes:1').home).toBe('v2:quotes:1');
  expect(spaces[0]?.tryLocate('quotes:1')).toBeUndefined();
});

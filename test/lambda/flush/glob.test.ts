import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { globToRegExp } from '../../../lambda/flush/glob.ts';
import type { RedisConnection } from '../../../lambda/redis/connection.ts';
import { lookInto } from '../../support/redis.ts';
import { ownRedis } from '../../support/servers.ts';

const LETTERS = ['a', 'b', ':', '*', '?', '[', ']', '^', '-', '\\'];
/** Every key of up to three of these letters, and some longer ones. */
const KEYS = [
  ...LETTERS,
  ...LETTERS.flatMap((first) => LETTERS.map((second) => first + second)),
  ...LETTERS.flatMap((first) => LETTERS.flatMap((second) => LETTERS.map((third) => first + second + third))),
  ...[
    'mocs:user:123:list',
    'aaaaaaab',
    'a\nb',
    'a.b',
    'a{1}',
    'v2:mocs',
    'z',
    'm',
    '$',
    '(a)',
    'a|b',
    '+',
    '/',
  ],
];

let redis: RedisConnection;

beforeAll(async () => {
  redis = await lookInto((await ownRedis()).url);
  await redis.send(['MSET', ...KEYS.flatMap((key) => [key, ''])]);
});

const byRedis = async (pattern: string) => ((await redis.send(['KEYS', pattern])) as string[]).sort();
const byUs = (pattern: string) => {
  const expression = globToRegExp(pattern);
  return KEYS.filter((key) => expression.test(key)).sort();
};

/** Pieces of patterns, whole and broken. */
const piece = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...LETTERS) },
  { weight: 2, arbitrary: fc.constantFrom('*', '?', '**', '\\\\', '\\*', '\\[') },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        fc.constantFrom('[', '[^'),
        fc.string({ unit: fc.constantFrom(...LETTERS), maxLength: 4 }),
        fc.constantFrom(']', ''),
      )
      .map((parts) => parts.join('')),
  },
);
const patterns = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''));

test('matches what Redis matches, whatever the pattern', async () => {
  let telling = 0;
  await fc.assert(
    fc.asyncProperty(patterns, async (pattern) => {
      const expected = await byRedis(pattern);
      if (expected.length > 0 && expected.length < KEYS.length) telling += 1;
      expect(byUs(pattern)).toEqual(expected);
    }),
    { numRuns: 500 },
  );
  // Patterns that match nothing, or everything, tell little.
  expect(telling).toBeGreaterThan(150);
});

describe('matches what Redis matches', () => {
  test.each([
    '',
    '*',
    'a*',
    '*a*b',
    'a?',
    '[ab]',
    '[^ab]',
    '[a-c]',
    '[c-a]',
    '[^c-a]',
    '[a-]',
    '[-a]',
    '[]a]',
    '[^]',
    '[]',
    '[',
    '[^',
    '[a',
    '[a-',
    '[a-\\]',
    '[\\]]',
    '[\\',
    '[\\a-c]',
    '[a\\-c]',
    '[:-]]',
    '\\',
    'a\\',
    '\\a',
    '\\\\',
    'a.b',
    'a$',
    'mocs:*',
    'mocs:*:list',
    'm[^x]cs:*',
  ])('for %j', async (pattern) => {
    expect(byUs(pattern)).toEqual(await byRedis(pattern));
  });

  test('also in a SCAN', async () => {
    const matching = [];
    for (let cursor: string | undefined; cursor !== '0'; ) {
      const [next, keys] = (await redis.send(['SCAN', cursor ?? '0', 'MATCH', 'a[^b]*', 'COUNT', '100'])) as [
        string,
        string[],
      ];
      matching.push(...keys);
      cursor = next;
    }
    expect(matching.length).toBeGreaterThan(50);
    expect(byUs('a[^b]*')).toEqual(matching.sort());
  });
});

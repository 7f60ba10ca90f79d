import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { globToRegExp } from '../../../../lambda/flush/plan/glob.ts';
import { compileGlob } from '../../../../lambda/flush/plan/glob-bytes.ts';
import type { RedisConnection } from '../../../../lambda/redis/connection.ts';
import { lookInto } from '../../../support/redis.ts';
import { ownRedis } from '../../../support/servers.ts';

/** A character a byte: the last two are no text, and a half of one. */
const LETTERS = ['a', 'b', ':', '*', '?', '[', ']', '^', '-', '\\', '\xff', '\xc3'];
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

const bytes = (text: string) => Buffer.from(text, 'latin1');

let redis: RedisConnection;

beforeAll(async () => {
  redis = await lookInto((await ownRedis()).url, { binary: true });
  await redis.send(['MSET', ...KEYS.flatMap((key) => [bytes(key), ''])]);
});

/** Redis, and each of our readers, which share nothing: what they make of a pattern, by the keys that it matches. */
const byRedis = async (pattern: string) => {
  const keys = (await redis.send(['KEYS', bytes(pattern)])) as Buffer[];
  return keys.map((key) => key.toString('latin1')).sort();
};
const OURS: Record<string, (pattern: string) => string[]> = {
  'the one of regular expressions'(pattern) {
    const expression = globToRegExp(pattern);
    return KEYS.filter((key) => expression.test(key)).sort();
  },
  'the one of bytes'(pattern) {
    const matches = compileGlob(bytes(pattern));
    // Somewhere in the midst of others, as in a page.
    return KEYS.filter((key) => matches(bytes(`*${key}*`), 1, key.length + 1)).sort();
  },
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
/** Whether a range ends with a byte above 127: its order is that of the server's processor, and a plan refuses it. */
const IN_NO_ORDER = /[\x80-\xff]-|-[\x80-\xff]/;
const patterns = fc
  .array(piece, { maxLength: 6 })
  .map((pieces) => pieces.join(''))
  .filter((pattern) => !IN_NO_ORDER.test(pattern));

test.each(Object.keys(OURS))('%s matches what Redis matches, whatever the pattern', async (reader) => {
  let telling = 0;
  await fc.assert(
    fc.asyncProperty(patterns, async (pattern) => {
      const expected = await byRedis(pattern);
      if (expected.length > 0 && expected.length < KEYS.length) telling += 1;
      expect(OURS[reader]?.(pattern)).toEqual(expected);
    }),
    { numRuns: 500 },
  );
  // Patterns that match nothing, or everything, tell little.
  expect(telling).toBeGreaterThan(150);
});

describe.each(Object.entries(OURS))('%s matches what Redis matches', (_reader, byUs) => {
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
    '\xc3?',
    '[\xc3a]',
    '[^\xff]*',
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
        Buffer,
        Buffer[],
      ];
      matching.push(...keys.map((key) => key.toString('latin1')));
      cursor = String(next);
    }
    expect(matching.length).toBeGreaterThan(50);
    expect(byUs('a[^b]*')).toEqual(matching.sort());
  });
});

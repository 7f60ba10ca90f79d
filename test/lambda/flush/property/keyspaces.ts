import fc from 'fast-check';

/** A key as Latin-1, a character a byte, and what is stored under it. */
export interface Stored {
  readonly key: string;
  readonly type: 'string' | 'list' | 'set' | 'hash' | 'zset';
  readonly ttlMs: number | undefined;
}

/** What a flush is asked for, and on which keys. */
export interface Case {
  readonly drawn: readonly Stored[];
  /** How many like it come with each key, so that a pass has several pages. */
  readonly herd: number;
  readonly patterns: readonly string[] | undefined;
  readonly preserve: readonly string[];
  readonly maxLatencyMs: number;
}

const NAMESPACES = ['', '', 'v2:', 'cw:test:', 'cw:other:', 'v1:'];
const BEGINNINGS = ['mocs:', 'gallery:', 'sessions:', 'rl:', 'mocsX:', 'orders:', 'cutover:', 'a', ''];
/** Braces, what means something in a pattern or in the protocol, and bytes that are no text. */
const UNITS = [
  'a',
  'b',
  '1',
  ':',
  '{',
  '}',
  '*',
  '?',
  '[',
  ']',
  '\\',
  '^',
  '-',
  '\r',
  '\n',
  '$',
  '\0',
  '\xff',
  '\xc3',
];
const tail = fc.string({ unit: fc.constantFrom(...UNITS), maxLength: 6 });

const stored: fc.Arbitrary<Stored> = fc.record({
  key: fc
    .tuple(fc.constantFrom(...NAMESPACES), fc.constantFrom(...BEGINNINGS), tail)
    .map((parts) => parts.join('')),
  type: fc.constantFrom('string', 'list', 'set', 'hash', 'zset'),
  ttlMs: fc.option(fc.integer({ min: 3_600_000, max: 7_200_000 }), { nil: undefined }),
});

const PATTERNS = [
  'mocs:*',
  'm?cs:*',
  '[a-m]*:*',
  'gallery:[^1]*',
  'v1:*',
  '*{*',
  'mocs:\\*',
  '*:a',
  'v2:orders:*',
  'a*',
];
const patterns = fc.uniqueArray(fc.constantFrom(...PATTERNS), { minLength: 1, maxLength: 4 });

export const cases: fc.Arbitrary<Case> = fc.record({
  drawn: fc.array(stored, { minLength: 5, maxLength: 40 }),
  herd: fc.integer({ min: 10, max: 60 }),
  patterns: fc.option(patterns, { nil: undefined }),
  preserve: fc.uniqueArray(fc.constantFrom(...PATTERNS), { maxLength: 1 }),
  maxLatencyMs: fc.constantFrom(0, 2),
});

/** All keys of a case, each once. */
export function storedIn({ drawn, herd }: Case): Stored[] {
  const all = drawn.flatMap((one) => [
    one,
    ...Array.from({ length: herd }, (_, index) => ({ ...one, key: `${one.key}${index}` })),
  ]);
  return [...new Map(all.map((one) => [one.key, one])).values()];
}

const bytes = (text: string) => Buffer.from(text, 'latin1');

/** Of one member where Redis keeps no order: DUMP shows one, which a restart may change. */
const WRITE: Record<Stored['type'], (key: Buffer) => (string | Buffer)[]> = {
  string: (key) => ['SET', key, Buffer.concat([Buffer.from('value of '), key])],
  list: (key) => ['RPUSH', key, 'a', 'b'],
  set: (key) => ['SADD', key, 'a'],
  hash: (key) => ['HSET', key, 'field', 'a'],
  zset: (key) => ['ZADD', key, '1', 'a'],
};

/** The commands that store it. */
export function commandsFor({ key, type, ttlMs }: Stored): (string | Buffer)[][] {
  const name = bytes(key);
  return [WRITE[type](name), ...(ttlMs === undefined ? [] : [['PEXPIRE', name, String(ttlMs)]])];
}

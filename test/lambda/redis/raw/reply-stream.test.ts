import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  type BulkString,
  createReplyStream,
  decode,
  findBulk,
  integerAt,
} from '../../../../lambda/redis/raw/reply-stream.ts';

type Value = string | number | null | { readonly status: string } | readonly Value[];

/** A value as RESP 2 writes it; a string is one character a byte. */
function written(value: Value): string {
  if (value === null) return '$-1\r\n';
  if (typeof value === 'number') return `:${value}\r\n`;
  if (typeof value === 'string') return `$${value.length}\r\n${value}\r\n`;
  if ('status' in value) return `+${value.status}\r\n`;
  return `*${value.length}\r\n${value.map(written).join('')}`;
}

/** What `decode` makes of it, to compare with. */
function told(value: unknown): Value {
  if (Buffer.isBuffer(value)) return value.toString('latin1');
  return Array.isArray(value) ? value.map(told) : (value as Value);
}
const plain = (value: Value): Value => {
  if (value !== null && typeof value === 'object') return 'status' in value ? value.status : value.map(plain);
  return value;
};

/** Strings that look like the protocol itself. */
const text = fc.string({
  unit: fc.constantFrom('a', '\r', '\n', '$', '*', ':', '-', '1', '\0', '\xff'),
  maxLength: 12,
});
const { value } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    text,
    fc.integer({ min: -1_000_000, max: 1_000_000 }),
    fc.constant(null),
    fc.constantFrom('OK', 'PONG').map((status) => ({ status })),
    fc.array(tie('value'), { maxLength: 4 }),
  ),
}));

test('replies are what was written, however they are cut into chunks', () => {
  fc.assert(
    fc.property(
      fc.array(value, { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
      (values, sizes) => {
        const bytes = Buffer.from(values.map(written).join(''), 'latin1');
        const replies: Value[] = [];
        const take = createReplyStream((reply) => replies.push(told(decode(reply))));
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1;
          take(bytes.subarray(at, at + size));
          at += size;
        }
        expect(replies).toEqual(values.map(plain));
      },
    ),
    { numRuns: 500 },
  );
});

test('a reply that is larger than the buffer', () => {
  const large = 'x'.repeat(300_000);
  const replies: unknown[] = [];
  const take = createReplyStream((reply) => replies.push(told(decode(reply))));
  const bytes = Buffer.from(written(['1', [large, 'y']]) + written('after'));
  for (let at = 0; at < bytes.length; at += 65_536) take(bytes.subarray(at, at + 65_536));
  expect(replies).toEqual([['1', [large, 'y']], 'after']);
});

test('an error is a value', () => {
  const replies: unknown[] = [];
  createReplyStream((reply) => replies.push(decode(reply)))(
    Buffer.from('-NOPERM no\r\n*2\r\n-ERR one\r\n:2\r\n'),
  );
  expect(replies).toEqual([new Error('NOPERM no'), [new Error('ERR one'), 2]]);
});

describe('what is no Redis', () => {
  test.each(['HTTP/1.1 400 Bad Request\r\n', '\x15\x03\x01\r\n', 'x'.repeat(100_000)])('%#', (said) => {
    const take = createReplyStream(() => {});
    expect(() => take(Buffer.from(said))).toThrow(
      /^redis: the server answers ".*", which is no reply of a Redis$/,
    );
  });
});

test.each([0, 7, -1, 123_456])('the number %d', (number) => {
  expect(integerAt(Buffer.from(`:${number}\r\n`), 1)).toBe(number);
});

test('a bulk string where it lies', () => {
  const found: BulkString = { start: 0, end: 0 };
  const bytes = Buffer.from('??$5\r\na\r\nbc\r\n$0\r\n\r\n:1\r\n');
  const next = findBulk(bytes, 2, found);
  expect(bytes.toString('latin1', found.start, found.end)).toBe('a\r\nbc');
  expect(findBulk(bytes, next, found)).toBe(bytes.indexOf(':1'));
  expect(found.end).toBe(found.start);
});

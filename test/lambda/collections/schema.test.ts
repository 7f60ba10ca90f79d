import { describe, expect, test } from '@jest/globals';
import { createKeyspace } from '../../../lambda/cache/keyspace.ts';
import { listKey, parseBody, parseOwner } from '../../../lambda/collections/schema.ts';
import { COLLECTIONS } from '../../../lambda/contract/families.ts';
import { parseId } from '../../../lambda/request/id.ts';
import { MAX_BODY_BYTES, requireJson } from '../../../lambda/request/json-body.ts';

/** What a call complains of: the status and the detail. */
function complaint(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    if (error instanceof Error && 'status' in error) return [error.status, error.message];
    throw error;
  }
  return 'nothing';
}

const nested = (depth: number): string => (depth === 1 ? '{}' : `{"a":${nested(depth - 1)}}`);

/** A body of exactly so many bytes. */
function bodyOf(bytes: number, character = 'x'): string {
  const frame = '{"data":{"a":""}}';
  const room = bytes - frame.length;
  const width = Buffer.byteLength(character);
  const text = character.repeat(Math.floor(room / width)) + 'x'.repeat(room % width);
  return `{"data":{"a":"${text}"}}`;
}

describe('an id', () => {
  test.each([
    ['u'],
    ['123'],
    ['a b'],
    ['{tag}'],
    ['*[x]\\'],
    ['%0A'],
    ["'; DROP TABLE mocs; --"],
    ['ü'],
    ['😀'],
    ['x'.repeat(128)],
  ])('%j is taken as it is', (id) => {
    expect(parseId('userId', id)).toBe(id);
    expect(parseId('itemId', id)).toBe(id);
  });

  test.each([
    ['', 'itemId "" is empty'],
    ['a:b', 'itemId "a:b" has a ":"'],
    [':', 'itemId ":" has a ":"'],
    ['a\nb', 'itemId "a\\nb" has control characters'],
    ['a\u0000b', 'itemId "a\\u0000b" has control characters'],
    ['a\u001f', 'itemId "a\\u001f" has control characters'],
    ['\u007f', 'itemId "\u007f" has control characters'],
    ['\u0085', 'itemId "\u0085" has control characters'],
    ['a\n', 'itemId "a\\n" has control characters'],
    ['\ud800', 'itemId "\\ud800" is not well-formed Unicode'],
    ['a\udfffb', 'itemId "a\\udfffb" is not well-formed Unicode'],
    ['x'.repeat(129), `itemId "${'x'.repeat(60)}..." is longer than 128 characters`],
    ['.', 'itemId "." is a dot segment'],
    ['..', 'itemId ".." is a dot segment'],
  ])('%j is refused: %s', (id, message) => {
    expect(complaint(() => parseId('itemId', id))).toEqual([400, message]);
    expect(complaint(() => parseId('userId', id))).toEqual([400, message.replace('itemId', 'userId')]);
  });

  test('of the greatest length still gives a key that the cache accepts, in every collection', () => {
    const keyspace = createKeyspace({ phase: 'isolated', env: 'test' });
    for (const collection of COLLECTIONS) {
      // Three bytes each, the most that one UTF-16 unit can take.
      const owner = parseOwner({ userId: '€'.repeat(128), collection });
      expect(keyspace.locate(listKey(owner)).family.name).toBe(collection);
    }
  });
});

describe('an owner', () => {
  test('is a known collection and a good id', () => {
    expect(parseOwner({ userId: '123', collection: 'wishlist' })).toEqual({
      userId: '123',
      collection: 'wishlist',
    });
    expect(listKey({ userId: '123', collection: 'mocs' })).toBe('mocs:user:123:list');
  });

  test.each(['', 'mocs ', 'MOCS', 'mocs;', 'toString', '__proto__', 'sessions', 'collection_versions'])(
    'of the collection %j is not found',
    (collection) => {
      expect(complaint(() => parseOwner({ userId: 'u', collection }))).toEqual([
        404,
        `collection ${JSON.stringify(collection)} is none of mocs, gallery, wishlist, albums`,
      ]);
    },
  );

  test('with a bad id is refused', () => {
    expect(complaint(() => parseOwner({ userId: 'a:b', collection: 'mocs' }))).toEqual([
      400,
      'userId "a:b" has a ":"',
    ]);
  });
});

describe('the headers of a body', () => {
  const headers = (contentType: string | undefined, contentEncoding?: string) =>
    complaint(() => requireJson({ contentType, contentEncoding }));

  test.each([
    'application/json',
    'Application/JSON',
    'application/json; charset=utf-8',
    'application/json;charset="UTF-8"',
    'application/json ;a=b',
  ])('%j is JSON', (type) => expect(headers(type)).toBe('nothing'));

  test.each([
    undefined,
    '',
    'text/plain',
    'application/jsonp',
    'application/json5; x',
    'text/application/json',
    'application/json; charset=utf-16',
    'application/json;a=b;charset=latin1',
  ])('%j is not', (type) => {
    const detail = `content-type ${JSON.stringify(type ?? '')} is not application/json in UTF-8`;
    expect(headers(type)).toEqual([415, detail]);
  });

  test('say that it is sent as it is', () => {
    expect(headers('application/json', 'identity')).toBe('nothing');
    expect(headers('application/json', 'gzip')).toEqual([
      415,
      'content-encoding "gzip" is not served; send the body as it is',
    ]);
  });
});

describe('a body', () => {
  test.each([
    ['{"data":{}}', {}],
    [
      ' {"data" : {"a":[1,{"b":null}],"c":"ü","d":1.5e300,"e":false} } ',
      { a: [1, { b: null }], c: 'ü', d: 1.5e300, e: false },
    ],
    [`{"data":${nested(32)}}`, JSON.parse(nested(32))],
  ])('%s is an object', (text, data) => {
    expect(parseBody(text)).toEqual(data);
  });

  test.each([
    ['', 'the body "" is not JSON'],
    ['{', 'the body "{" is not JSON'],
    ['{"data":{}} x', 'the body "{\\"data\\":{}} x" is not JSON'],
    ['{"data":NaN}', 'the body "{\\"data\\":NaN}" is not JSON'],
    ['null', 'the body "null" does not fit { "data": object }'],
    ['[]', '"data" of the body "[]" does not fit { "data": object }'],
    ['"data"', 'the body "\\"data\\"" does not fit { "data": object }'],
    ['{}', '"data" of the body "{}" does not fit { "data": object }'],
    ['{"data":null}', '"data" of the body "{\\"data\\":null}" does not fit { "data": object }'],
    ['{"data":[]}', '"data" of the body "{\\"data\\":[]}" does not fit { "data": object }'],
    ['{"data":"x"}', '"data" of the body "{\\"data\\":\\"x\\"}" does not fit { "data": object }'],
    [
      '{"data":{},"more":1}',
      '"more" of the body "{\\"data\\":{},\\"more\\":1}" does not fit { "data": object }',
    ],
    [
      '{"data":{},"toString":1}',
      '"toString" of the body "{\\"data\\":{},\\"toString\\":1}" does not fit { "data": object }',
    ],
    [
      '{"data":{},"__proto__":1}',
      '"__proto__" of the body "{\\"data\\":{},\\"__proto__\\":1}" does not fit { "data": object }',
    ],
    ['{"data":{"a":1e400}}', '"data.a" is a number too large to keep'],
    ['{"data":{"a":[0,-1e400]}}', '"data.a.1" is a number too large to keep'],
    ['{"data":{"a":{"b":"x\\u0000"}}}', '"data.a.b" has U+0000 or half a surrogate pair'],
    ['{"data":{"a":"\\ud800"}}', '"data.a" has U+0000 or half a surrogate pair'],
    ['{"data":{"\\u0000":1}}', '"data" has a field name with U+0000 or half a surrogate pair'],
    ['{"data":{"a":{"\\udc00":1}}}', '"data.a" has a field name with U+0000 or half a surrogate pair'],
    [
      `{"data":${nested(33)}}`,
      '"data.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a..." is nested more than 32 deep',
    ],
  ])('%s is refused: %s', (text, message) => {
    expect(complaint(() => parseBody(text))).toEqual([400, message]);
  });

  test('a long one is named by its beginning', () => {
    const [, detail] = complaint(() => parseBody('y'.repeat(1000))) as [number, string];
    expect(detail).toBe(`the body "${'y'.repeat(60)}..." is not JSON`);
  });

  test.each(['x', 'ü', '😀'])('of %j may have 64 KiB, and not a byte more', (character) => {
    expect(MAX_BODY_BYTES).toBe(65_536);
    const longest = bodyOf(65_536, character);
    expect(Buffer.byteLength(longest)).toBe(65_536);
    expect(Object.keys(parseBody(longest))).toEqual(['a']);
    expect(complaint(() => parseBody(bodyOf(65_537, character)))).toEqual([
      413,
      'the body is larger than 65536 bytes',
    ]);
  });

  test('nested as deep as 64 KiB can be is refused, and not by an overflow of the stack', () => {
    const text = `{"data":{"a":${'['.repeat(30_000)}${']'.repeat(30_000)}}}`;
    const [status, detail] = complaint(() => parseBody(text)) as [number, string];
    expect([status, detail.endsWith('is nested more than 32 deep')]).toEqual([400, true]);
  });

  test('a field named __proto__ is data like any other', () => {
    const data = parseBody('{"data":{"__proto__":{"polluted":true}}}');
    expect(JSON.stringify(data)).toBe('{"__proto__":{"polluted":true}}');
    expect('polluted' in data).toBe(false);
  });
});

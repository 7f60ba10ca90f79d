import { describe, expect, test } from '@jest/globals';
import { differenceOf } from '../../../lambda/rollout/compare/difference.ts';

const answer = (value: unknown, status = 200) => ({
  status,
  body: typeof value === 'string' ? value : JSON.stringify(value),
});

describe('no client could tell apart', () => {
  test.each<[string, unknown, unknown]>([
    ['the same', { a: [1, null, 'x'] }, { a: [1, null, 'x'] }],
    ['another order of fields', { a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 }],
    ['other white space', '{ "a" : 1 }', '{"a":1}'],
    ['the same text', 'not json', 'not json'],
  ])('%s', (_what, one, other) => {
    expect(differenceOf(answer(one), answer(other))).toBeUndefined();
  });
});

describe('differ, by the place', () => {
  test.each<[string, unknown, unknown]>([
    ['/a/1: another number', { a: [1, 2] }, { a: [1, 3] }],
    ['/a: 2 entries, 1', { a: [1, 2] }, { a: [1] }],
    ['/a: list, object', { a: [] }, { a: {} }],
    ['/a: null, string', { a: null }, { a: 'null' }],
    ['/b: only legacy has it', { a: 1, b: 2 }, { a: 1 }],
    ['/b: only serverless has it', { a: 1 }, { a: 1, b: null }],
    ['/a~1b/c~0d: another boolean', { 'a/b': { 'c~d': true } }, { 'a/b': { 'c~d': false } }],
    ['the whole body: object, list', {}, []],
    ['a body that is no JSON', 'one', 'other'],
    ['a body that is no JSON', '{"a":1}', '<html>'],
    ['/__proto__: only legacy has it', '{"__proto__":1}', '{}'],
  ])('%s', (where, one, other) => {
    expect(differenceOf(answer(one), answer(other))).toBe(where);
  });

  test('a status comes first', () => {
    expect(differenceOf(answer({}, 200), answer([], 404))).toBe('status 200, 404');
  });

  test('never names a value', () => {
    expect(differenceOf(answer({ name: 'alice' }), answer({ name: 'bob' }))).toBe('/name: another string');
  });
});

import { describe, expect, test } from '@jest/globals';
import { mergePatch } from '../../../lambda/flags/merge-patch.ts';

describe('the examples of RFC 7396, Appendix A', () => {
  test.each([
    ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
    ['{"a":"b"}', '{"a":null}', '{}'],
    ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
    ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
    ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
    ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
    ['["a","b"]', '["c","d"]', '["c","d"]'],
    ['{"a":"b"}', '["c"]', '["c"]'],
    ['{"a":"foo"}', 'null', 'null'],
    ['{"a":"foo"}', '"bar"', '"bar"'],
    ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
    ['[1,2]', '{"a":"b","c":null}', '{"a":"b"}'],
    ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
  ])('%s patched with %s is %s', (target, patch, result) => {
    expect(JSON.stringify(mergePatch(JSON.parse(target), JSON.parse(patch)))).toBe(result);
  });
});

test('neither the target nor the patch is changed', () => {
  const target = { a: { b: 1, c: 2 } };
  const patch = { a: { b: null, d: {} } };
  expect(mergePatch(target, patch)).toEqual({ a: { c: 2, d: {} } });
  expect({ target, patch }).toEqual({ target: { a: { b: 1, c: 2 } }, patch: { a: { b: null, d: {} } } });
});

/** Names that every object of JavaScript has something under. */
describe.each(['__proto__', 'constructor', 'toString'])('a member %s is a member like any other', (name) => {
  const patch = JSON.parse(`{"${name}":{"polluted":true}}`);

  test('when it is added', () => {
    expect(JSON.stringify(mergePatch({}, patch))).toBe(`{"${name}":{"polluted":true}}`);
    expect('polluted' in {}).toBe(false);
  });

  test('when it is merged', () => {
    expect(JSON.stringify(mergePatch(patch, JSON.parse(`{"${name}":{"more":1}}`)))).toBe(
      `{"${name}":{"polluted":true,"more":1}}`,
    );
  });

  test('when it is removed', () => {
    expect(JSON.stringify(mergePatch(patch, JSON.parse(`{"${name}":null}`)))).toBe('{}');
  });
});

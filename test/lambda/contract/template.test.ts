import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Family, requireConsistent, tagsOfKey } from '../../../lambda/contract/families.ts';
import { fillTemplate, rowsOf } from '../../../lambda/contract/template.ts';

const TEMPLATE = 'docs:{org}:{id}:page';

describe('rowsOf', () => {
  test('takes a filled template apart, whatever its values are', () => {
    const text = fc.string({
      minLength: 1,
      maxLength: 12,
      unit: fc.constantFrom('a', ':', '{', '}', '*', 'ü', 'page', '\n'),
    });
    fc.assert(
      fc.property(text, text, (org, id) => {
        const name = fillTemplate(TEMPLATE, { org, id }) ?? '';
        expect(rowsOf(TEMPLATE, name)).toContainEqual({ org, id });
        for (const row of rowsOf(TEMPLATE, name)) expect(fillTemplate(TEMPLATE, row)).toBe(name);
      }),
    );
  });

  test.each(['docs:a:page', 'docs::b:page', 'docs:a::page', 'xdocs:a:b:page', 'docs:a:b:pages', ''])(
    'finds none in %j',
    (name) => {
      expect(rowsOf(TEMPLATE, name)).toEqual([]);
    },
  );

  test('knows a template that ends with a column, and one without any', () => {
    expect(rowsOf('mocs:{user}', 'mocs:a:b')).toEqual([{ user: 'a:b' }]);
    expect(rowsOf('all', 'all')).toEqual([{}]);
    expect(rowsOf('all', 'al')).toEqual([]);
  });
});

const family = (keyTemplate: string, tagTemplate: string): Family => ({
  name: 'docs',
  kind: 'cache',
  onFlush: 'flush',
  ttlSeconds: 60,
  source: { table: 'docs', keyTemplate },
  tagSources: [{ table: 'docs', tagTemplate }],
});

test('a key whose values could be told apart in two ways bumps the tags of both', () => {
  expect(tagsOfKey('docs:a:b:7:page', [family(TEMPLATE, 'org:{org}')])).toEqual(['org:a', 'org:a:b']);
});

describe('a registry is refused', () => {
  test.each([
    ['docs:{org}{id}', 'org:{org}', 'two columns side by side'],
    ['docs:{org}', 'doc:{id}', 'names column id, which keyTemplate docs:{org} does not tell; use one of org'],
  ])('with %s and %s', (keyTemplate, tagTemplate, message) => {
    expect(() => requireConsistent([family(keyTemplate, tagTemplate)])).toThrow(message);
  });
});

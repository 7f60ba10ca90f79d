import { expect, test } from '@jest/globals';
import { ConfigurationError } from '../../../lambda/contract/errors.ts';
import { readSwitch } from '../../../lambda/contract/switches.ts';

test.each([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
  ['', false],
  [undefined, false],
])('a switch of %j is %j', (value, on) => expect(readSwitch({ SWITCH: value }, 'SWITCH')).toBe(on));

test('any other value is refused, with the name of the variable', () => {
  expect(() => readSwitch({ SWITCH: 'yes' }, 'SWITCH')).toThrow(ConfigurationError);
  expect(() => readSwitch({ SWITCH: 'yes' }, 'SWITCH')).toThrow('SWITCH=yes');
});

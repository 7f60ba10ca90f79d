import { describe, expect, test } from '@jest/globals';
import { parseStages, parseWhole, type RehearsalOptions, stageSeconds } from '../../rehearsal/options.ts';

const OPTIONS: RehearsalOptions = {
  seconds: 90,
  stages: [5, 25, 50, 100],
  users: 100,
  seed: 1,
  mode: 'coherent',
};
const usage = (message: string) => ({ name: 'UsageError', code: 'CUTOVER_USAGE', message });

function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('a whole number', () => {
  const parse = (text: string) => parseWhole('--users', text, { min: 3, max: 70 });

  test.each(['3', '70', '007'])('is %j', (text) => expect(parse(text)).toBe(Number(text)));

  test.each([
    '2',
    '71',
    '0',
    '-5',
    '5.5',
    '5e1',
    '0x10',
    '',
    ' ',
    ' 5',
    '5 ',
    'five',
    'NaN',
    '٥',
    '9'.repeat(400),
  ])('is not %j, and the message names option, value and range', (text) => {
    expect(thrownBy(() => parse(text))).toMatchObject(
      usage(`rehearse: --users=${JSON.stringify(text)} is not a whole number from 3 to 70`),
    );
  });
});

describe('a list of stages', () => {
  test.each([
    ['5,25,50,100', [5, 25, 50, 100]],
    ['100', [100]],
    ['1, 2 ,3', [1, 2, 3]],
  ])('is %j', (text, stages) => expect(parseStages(text)).toEqual(stages));

  test.each(['5,5', '25,5', '5,25,25,100', '100,50'])('that does not grow, %j, is refused', (text) => {
    expect(thrownBy(() => parseStages(text))).toMatchObject(
      usage(`rehearse: --stages=${JSON.stringify(text)} does not grow; write 5,25,50,100`),
    );
  });

  test.each([
    ['', ''],
    ['0,50', '0'],
    ['5,101', '101'],
    ['5,,25', ''],
    ['5,25,', ''],
    ['5;25', '5;25'],
    ['5,abc', 'abc'],
    ['5,12.5', '12.5'],
    ['-5', '-5'],
  ])('%j is refused for %j', (text, part) => {
    expect(thrownBy(() => parseStages(text))).toMatchObject(
      usage(`rehearse: --stages=${JSON.stringify(part)} is not a whole number from 1 to 100`),
    );
  });
});

describe('the time', () => {
  test('is 40 % for the first stage, and the rest in equal parts', () => {
    expect(stageSeconds(OPTIONS)).toEqual([36, 18, 18, 18]);
    expect(stageSeconds({ ...OPTIONS, seconds: 10, stages: [50, 100] })).toEqual([4, 6]);
  });

  test('is all of it for a single stage', () => {
    expect(stageSeconds({ ...OPTIONS, seconds: 33, stages: [100] })).toEqual([33]);
  });

  test.each([[5], [40], [91]])('of %d seconds is used up', (seconds) => {
    const used = stageSeconds({ ...OPTIONS, seconds }).reduce((sum, each) => sum + each, 0);
    expect(used).toBeCloseTo(seconds, 9);
  });
});

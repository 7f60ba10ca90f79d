import { describe, expect, test } from '@jest/globals';
import { type AlarmProperties, statesOf } from './alarm-states.ts';
import { evaluateMath } from './metric-math.ts';

/** The table of the user guide: 0 is not breaching, X is, - is missing; three of three, of five that were looked for. */
const TABLE = [
  ['0 - X - X', 'OK', 'OK'],
  ['- - - - 0', 'OK', 'OK'],
  ['- - - - -', 'OK', 'ALARM'],
  ['0 X X - X', 'ALARM', 'ALARM'],
  ['- - X - -', 'OK', 'ALARM'],
] as const;

describe('three bad periods of three', () => {
  test.each(TABLE)('%s is %s where missing data is good, and %s where it is bad', (shown, good, bad) => {
    const values = shown.split(' ').map((each) => (each === '-' ? undefined : each === 'X' ? 1 : 0));
    const stateWith = (TreatMissingData: string) => {
      const alarm = {
        ...{ AlarmDescription: '', Threshold: 0, ComparisonOperator: 'GreaterThanThreshold' },
        ...{ EvaluationPeriods: 3, DatapointsToAlarm: 3, TreatMissingData },
      } satisfies AlarmProperties;
      return statesOf(alarm, values).at(-1);
    };
    expect([stateWith('notBreaching'), stateWith('breaching')]).toEqual([good, bad]);
  });
});

describe('metric math', () => {
  const series = {
    a: [1, 2, undefined, 4],
    b: [2, 0, 3, undefined],
    none: [undefined, undefined, undefined, undefined],
  };
  test.each([
    ['a + b * 2', [5, 2, undefined, undefined]],
    ['(a + b) * 2', [6, 4, undefined, undefined]],
    ['10 - 4 - 3', [3, 3, 3, 3]],
    ['a / b', [0.5, undefined, undefined, undefined]],
    ['FILL(a, 0) + FILL(none, 7)', [8, 9, 7, 11]],
    ['IF(a >= 2, b, 0)', [0, 0, undefined, undefined]],
    ['IF(FILL(a, 0) > 1 AND FILL(b, 1) < 1, 1, 0)', [0, 1, 0, 0]],
    ['IF(a > 3 OR a < 2, 1, 0)', [1, 0, undefined, 1]],
  ])('%s', (expression, values) => {
    expect(evaluateMath(expression, series, 4)).toEqual(values);
  });

  test.each(['a +', 'c', 'RATE(a)', 'a b', 'a ? b', '(a'])('does not understand %s', (expression) => {
    expect(() => evaluateMath(expression, series, 4)).toThrow('metric math: ');
  });
});

import { expect, test } from '@jest/globals';
import { reportConsole } from '../../../bench/console/report.ts';
import type { ConsoleRow } from '../../../bench/console/rows.ts';
import { judgeConsole } from '../../../bench/console/targets.ts';

const row = (row: Partial<ConsoleRow>): ConsoleRow => ({
  ...{ watching: 'somebody', cpuUsPerRequest: 501, requests: 12_345, ratio: 1.029 },
  ...row,
});
const NOBODY = row({ watching: 'nobody', ratio: 1 });

test.each([
  [1.029, true],
  [0.98, true],
  [1.03, false],
  [1.2, false],
  [Number.NaN, false],
])('a ratio of %d is met: %j', (ratio, met) => {
  expect(judgeConsole([NOBODY, row({ ratio })])).toEqual([
    expect.objectContaining({ met, measured: `${ratio}` }),
  ]);
});

test('a run that was not watched meets nothing', () => {
  expect(judgeConsole([NOBODY])).toEqual([expect.objectContaining({ met: false })]);
});

test('the report shows both, and the target', () => {
  const text = reportConsole({ machine: '2 x test', date: '2026-01-02', rows: [row({}), NOBODY] });
  expect(text).toMatch(/somebody\W+501\W+12,345\W+1\.029/);
  expect(text).toContain('2 x test, 2026-01-02');
  expect(text).toContain('below 1.03');
});

import type { Target } from '../bench.ts';
import type { ConsoleRow } from './rows.ts';

/** Of the rehearsal's CPU. */
const MOST_RATIO = 1.03;

/** Compares what was measured with what is promised. */
export function judgeConsole(rows: readonly ConsoleRow[]): Target[] {
  const ratio = rows.find(({ watching }) => watching === 'somebody')?.ratio ?? Number.NaN;
  return [
    {
      name: `CPU with somebody who looks, to that without a console: below ${MOST_RATIO}`,
      met: ratio < MOST_RATIO,
      measured: `${ratio}`,
    },
  ];
}

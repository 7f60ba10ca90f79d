import type { Target } from '../bench.ts';
import { type ApiRow, isBundle } from './rows.ts';

const MOST_START_MS = 140;
const MOST_SIZE_KB = 800;

/** Compares what was measured with what is promised of the API's bundle. */
export function judgeApi(rows: readonly ApiRow[]): Target[] {
  return rows
    .filter(isBundle)
    .filter(({ bundle }) => bundle === 'api')
    .flatMap(({ overBareMs, sizeKb }) => [
      {
        name: `cold start of the API: at most ${MOST_START_MS} ms more than a bare handler`,
        met: overBareMs <= MOST_START_MS,
        measured: `${overBareMs} ms`,
      },
      {
        name: `bundle of the API: below ${MOST_SIZE_KB} KB`,
        met: sizeKb < MOST_SIZE_KB,
        measured: `${sizeKb} KB`,
      },
    ]);
}

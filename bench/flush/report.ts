import type { Bench } from '../bench.ts';
import { table, title, verdict } from '../tables.ts';
import type { FlushRow } from './rows.ts';
import { judgeFlush } from './targets.ts';

const figure = (value: number, digits: number): string => (Number.isNaN(value) ? '' : value.toFixed(digits));

/** All tables of a run, and which targets it met. */
export function reportFlush(bench: Bench<FlushRow>): string {
  const lines = bench.rows.map(({ waits, ...row }) => [
    row.keys.toLocaleString('en-US'),
    row.flusher,
    row.deletedPerSecond.toLocaleString('en-US'),
    figure(row.ratioToPlain, 2),
    figure(row.ratioToShell, 2),
    figure(row.memoryMb, 0),
    figure(waits.p50Ms, 2),
    figure(waits.p99Ms, 2),
    figure(waits.maxMs, 1),
  ]);
  return [
    title('Flush', 'of 60 % of the keys; what a bystander waits who reads 2,000 times a second'),
    table(
      ['keys', 'flusher', 'deleted/s', 'to plain', 'to shell', 'memory MB', 'p50 ms', 'p99 ms', 'max ms'],
      lines,
    ),
    verdict(judgeFlush(bench.rows), bench),
  ].join('\n');
}

/** One line for a flusher, while the run goes on. */
export function flushLine({ flusher, keys, deletedPerSecond, memoryMb, waits }: FlushRow): string {
  return `${keys} keys, ${flusher}: ${deletedPerSecond} deleted/s, ${figure(memoryMb, 0)} MB, p99 of others ${waits.p99Ms} ms`;
}

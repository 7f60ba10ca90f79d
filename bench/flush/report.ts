import type { Bench } from '../bench.ts';
import { table, title, verdict } from '../tables.ts';
import type { FlushRow } from './rows.ts';
import { judgeFlush } from './targets.ts';

const figure = (value: number, digits: number): string => (Number.isNaN(value) ? '' : value.toFixed(digits));
const count = (value: number): string => (Number.isNaN(value) ? '' : value.toLocaleString('en-US'));

/** All tables of a run, and which targets it met. */
export function reportFlush(bench: Bench<FlushRow>): string {
  const lines = bench.rows.map(({ waits, ...row }) => [
    count(row.keys),
    row.flusher,
    count(row.deletedPerSecond),
    figure((row.seconds / row.keys) * 1e6, 2),
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
      [
        ...['keys', 'flusher', 'deleted/s', 's per M keys', 'to plain', 'to shell', 'memory MB'],
        ...['p50 ms', 'p99 ms', 'max ms'],
      ],
      lines,
    ),
    verdict(judgeFlush(bench.rows), bench),
  ].join('\n');
}

/** One line for a flusher, while the run goes on. */
export function flushLine({ flusher, keys, deletedPerSecond, memoryMb, waits }: FlushRow): string {
  const parts = [
    Number.isNaN(deletedPerSecond) ? [] : [`${deletedPerSecond} deleted/s`],
    Number.isNaN(memoryMb) ? [] : [`${figure(memoryMb, 0)} MB`],
    [`p99 of others ${waits.p99Ms} ms`],
  ];
  return `${keys} keys, ${flusher}: ${parts.flat().join(', ')}`;
}

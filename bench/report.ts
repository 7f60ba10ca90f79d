import type { Bench } from './bench.ts';
import { CELLS } from './cells.ts';
import type { Row, ThroughputRow } from './rows.ts';
import { table, title, verdict } from './tables.ts';
import { isLateFill, isOutage, isStampede, isThroughput, judge } from './targets.ts';

/** All tables of a run, and which targets it met. */
export function report(bench: Bench<Row>): string {
  const { rows } = bench;
  const throughput = rows.filter(isThroughput);
  const sections = [
    title(
      'Hits and misses',
      'operations a second as a ratio to raw node-redis; in brackets p50 and p99 in µs',
    ),
    throughputTable(throughput, 'hit'),
    throughputTable(throughput, 'miss'),
    title('Stampede', 'how often 100 callers of one missing key loaded it'),
    table(
      ['library', 'one process', 'two processes'],
      byLibrary(rows.filter(isStampede), (own) => own.map(({ loads }) => `${loads}`)),
    ),
    title('Late fill', 'what a read answers after the fill of a load that an invalidation overtook'),
    table(
      ['library', 'not stale after', 'stale after'],
      byLibrary(rows.filter(isLateFill), (own) =>
        [false, true].map((stale) =>
          own
            .filter((row) => row.stale === stale)
            .map(({ means }) => means)
            .join(', '),
        ),
      ),
    ),
    title('Redis away for 3 s', 'the longest wait of a read whose load takes no time'),
    table(
      ['library', 'frozen', 'killed'],
      byLibrary(rows.filter(isOutage), (own) => own.map(outage)),
    ),
    verdict(judge(rows), bench),
  ];
  return sections.join('\n');
}

/** One line for a cell, while the run goes on. */
export function cellLine(rows: readonly ThroughputRow[]): string {
  const [first] = rows;
  const ratios = rows.map(({ library, ratioToRaw }) => `${library} ${ratioToRaw.toFixed(2)}`);
  return `${first?.case} ${first?.valueBytes} B ${first?.inFlight} in flight: ${ratios.join('  ')}`;
}

function throughputTable(rows: readonly ThroughputRow[], kind: ThroughputRow['case']): string {
  const cells = CELLS.filter((cell) => cell.case === kind);
  const heads = cells.map(({ valueBytes, inFlight }) => `${valueBytes} B x ${inFlight}`);
  const libraries = [...new Set(rows.map(({ library }) => library))];
  const lines = libraries.map((library) => [
    library,
    ...cells.map((cell) => {
      const row = rows.find(
        (each) =>
          each.library === library &&
          each.case === kind &&
          each.valueBytes === cell.valueBytes &&
          each.inFlight === cell.inFlight,
      );
      return row ? `${row.ratioToRaw.toFixed(2)} (${row.p50Us}, ${row.p99Us})` : '-';
    }),
  ]);
  return table([kind, ...heads], lines);
}

function outage(row: Extract<Row, { case: 'freeze' | 'kill' }>): string {
  const { threw, hanging, longestWaitMs, recovered, error } = row;
  if (error !== undefined) return `did not survive: ${error.split('\n', 1)[0]}`;
  const remarks = [
    threw && 'threw',
    hanging > 0 && `${hanging} of ${row.reads} reads never answered`,
    !recovered && 'did not recover',
  ];
  return [`${longestWaitMs} ms`, ...remarks.filter((remark) => remark !== false)].join(', ');
}

function byLibrary<R extends Row>(rows: readonly R[], columns: (own: readonly R[]) => string[]): string[][] {
  const libraries = [...new Set(rows.map(({ library }) => library))];
  return libraries.map((library) => [library, ...columns(rows.filter((row) => row.library === library))]);
}

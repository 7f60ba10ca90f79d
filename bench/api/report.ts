import type { Bench } from '../bench.ts';
import { table, title, verdict } from '../tables.ts';
import { type ApiRow, type BundleRow, isBundle, isReads, type ReadsRow } from './rows.ts';
import { judgeApi } from './targets.ts';

/** All tables of a run, and which targets it met. */
export function reportApi(bench: Bench<ApiRow>): string {
  const { rows } = bench;
  return [
    title('Reads of a flag', 'through the deployed bundle; latencies in µs'),
    table(
      ['connections', 'handler', 'requests/s', 'to uncached', 'to bare', 'p50', 'p95', 'p99'],
      rows
        .filter(isReads)
        .map(({ connections, contender, ratioToUncached, ratioToBare, ...row }) => [
          `${connections}`,
          contender,
          `${row.requestsPerSecond}`,
          ratioToUncached.toFixed(2),
          ratioToBare.toFixed(2),
          `${row.p50Us}`,
          `${row.p95Us}`,
          `${row.p99Us}`,
        ]),
    ),
    title('Bundles', 'from the start of a process to the first answer, or to the end of the import'),
    table(
      ['bundle', 'KB', 'until', 'ms', 'ms over bare'],
      rows
        .filter(isBundle)
        .map(({ bundle, sizeKb, until, startMs, overBareMs }) => [
          bundle,
          sizeKb.toFixed(1),
          until,
          startMs.toFixed(1),
          overBareMs.toFixed(1),
        ]),
    ),
    verdict(judgeApi(rows), bench),
  ].join('\n');
}

/** One line for the reads over so many connections, while the run goes on. */
export function readsLine(rows: readonly ReadsRow[]): string {
  const speeds = rows.map(({ contender, requestsPerSecond }) => `${contender} ${requestsPerSecond}/s`);
  return `flag reads, ${rows[0]?.connections} in flight: ${speeds.join('  ')}`;
}

/** One line for the cold starts. */
export function bundleLine(rows: readonly BundleRow[]): string {
  return `cold starts: ${rows.map(({ bundle, startMs }) => `${bundle} ${startMs} ms`).join('  ')}`;
}

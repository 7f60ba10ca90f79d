import type { Bench } from '../bench.ts';
import { table, title, verdict } from '../tables.ts';
import type { ConsoleRow } from './rows.ts';
import { judgeConsole } from './targets.ts';

/** The table of a run, and whether it met its target. */
export function reportConsole(bench: Bench<ConsoleRow>): string {
  const lines = bench.rows.map(({ watching, cpuUsPerRequest, requests, ratio }) => [
    watching,
    `${cpuUsPerRequest}`,
    requests.toLocaleString('en-US'),
    ratio.toFixed(3),
  ]);
  return [
    title('Console', "CPU of the rehearsal's own process, with somebody who looks and without a console"),
    table(['watching', 'CPU µs a request', 'requests', 'to nobody'], lines),
    verdict(judgeConsole(bench.rows), bench),
  ].join('\n');
}

/** One line, while the run goes on. */
export const consoleLine = ({ watching, cpuUsPerRequest, ratio }: ConsoleRow): string =>
  `${watching} looks: ${cpuUsPerRequest} µs of CPU a request, ${ratio.toFixed(3)} times nobody's`;

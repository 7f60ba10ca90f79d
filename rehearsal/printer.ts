import Table from 'cli-table3';
import colors from 'picocolors';
import type { StageEvent } from './conductor.ts';
import type { Report, StageReport } from './report.ts';

/** What is shown while a stage goes on. */
export interface Progress {
  /** When the traffic began, on the clock of `performance.now()`. */
  readonly begin: number;
  readonly totalSeconds: number;
  readonly requests: number;
  /** The serverless backend's share of the requests just now, in percent. */
  readonly serverlessPercent: number;
  readonly hitRate: number | undefined;
  readonly p95Ms: number | undefined;
  readonly staleReads: number;
  readonly errors5xx: number;
}

export interface Printer {
  line(text: string): void;
  event(event: StageEvent): void;
  /** On a terminal one line that changes; elsewhere a line of its own every few seconds. */
  progress(progress: Progress): void;
  report(report: Report): void;
}

export interface PrinterOptions {
  readonly out: { write(text: string): unknown };
  readonly live: boolean;
}

const PLAIN_PROGRESS_EVERY_SECONDS = 5;
const CLEAR_LINE = '\r\u001b[2K';

export function createPrinter({ out, live }: PrinterOptions): Printer {
  let printedAt = Number.NEGATIVE_INFINITY;
  const line = (text: string) => out.write(`${live ? CLEAR_LINE : ''}${text}\n`);
  return {
    line,
    event: (event) => line(describe(event)),
    progress(progress) {
      const elapsedSeconds = elapsedOf(progress);
      if (live) out.write(CLEAR_LINE + progressLine(progress));
      else if (elapsedSeconds - printedAt >= PLAIN_PROGRESS_EVERY_SECONDS) {
        printedAt = elapsedSeconds;
        line(progressLine(progress));
      }
    },
    report: (report) => line(`\n${reportTable(report)}`),
  };
}

const label = (text: string) => colors.dim(text.padEnd(9));

function describe(event: StageEvent): string {
  switch (event.kind) {
    case 'flushed': {
      const { flushed, preserved, seconds } = event.report;
      return `\n${colors.bold(`stage ${event.weightPercent} %`)}\n${label('flush')}${flushed} deleted, ${preserved} preserved, ${seconds} s`;
    }
    case 'waiting':
      return `${label('wait')}${event.seconds.toFixed(1)} s`;
    case 'weight':
      return `${label('weight')}${event.from} % -> ${event.to} %`;
    case 'judged': {
      const { gate, reasons, hitRate, p95Ms, recoverySeconds } = event.stage;
      const verdict = gate === 'pass' ? colors.green('pass') : colors.red(`fail: ${reasons.join(', ')}`);
      const recovery = recoverySeconds === null ? 'not recovered' : `recovered after ${recoverySeconds} s`;
      return `${label('gate')}${verdict} (${event.requests} requests, hit rate ${show(hitRate.after)} over ${event.reads} reads, ${recovery}, p95 of hits ${show(p95Ms.serverless)} ms)`;
    }
    case 'rolled back':
      return colors.red(`${label('back')}weight 0 %, ${event.report.flushed} serverless entries flushed`);
  }
}

const elapsedOf = ({ begin }: Progress) => (performance.now() - begin) / 1000;

function progressLine(progress: Progress): string {
  const { totalSeconds, serverlessPercent, hitRate, p95Ms, staleReads, errors5xx } = progress;
  const elapsedSeconds = elapsedOf(progress);
  const width = 20;
  const done = Math.min(width, Math.round((elapsedSeconds / totalSeconds) * width));
  const stale = staleReads === 0 ? colors.green('0 stale') : colors.red(`${staleReads} stale`);
  return [
    `${label('')}[${'#'.repeat(done)}${'.'.repeat(width - done)}] ${Math.round(elapsedSeconds)}/${totalSeconds} s`,
    `serverless ${serverlessPercent.toFixed(0)} %`,
    `hit rate ${show(hitRate?.toFixed(2) ?? null)}`,
    `p95 ${show(p95Ms ?? null)} ms`,
    `${progress.requests} requests`,
    stale,
    `${errors5xx} errors`,
  ].join('  ');
}

function reportTable(report: Report): string {
  const table = new Table({
    head: ['weight', 'flushed', 'preserved', 'hit rate', 'recovered', 'p95 ms', 'database p95 ms', 'gate'],
    style: { head: [], border: [] },
  });
  table.push([
    '',
    'keys',
    'keys',
    'before, lowest, after',
    'after s',
    'express, serverless',
    'before, during, after',
    '',
  ]);
  for (const stage of report.stages) table.push(rowOf(stage));
  const { totals, staleByBackend, preserved, verdict, reasons } = report;
  const figures = [
    `requests ${totals.requests}, 5xx ${totals.errors5xx}, writes ${totals.writes}, cross-backend reads ${totals.crossBackendReads}`,
    `stale reads ${totals.staleReads} (express ${staleByBackend.express}, serverless ${staleByBackend.serverless})` +
      (totals.staleReads > 0
        ? `, the oldest ${totals.longestStaleSeconds} s after its successor was acknowledged`
        : '') +
      (totals.boundedStaleReads > 0
        ? `, and ${totals.boundedStaleReads} within the bound of a pending write`
        : ''),
    `preserved keys ${preserved.checked} checked, ${preserved.lost} lost`,
  ];
  const headline =
    verdict === 'pass' ? colors.green('verdict  pass') : colors.red(`verdict  fail: ${reasons.join('; ')}`);
  return [table.toString(), ...figures, colors.bold(headline)].join('\n');
}

function rowOf({
  weightPercent,
  flush,
  hitRate,
  recoverySeconds,
  p95Ms,
  databaseP95Ms,
  gate,
}: StageReport): string[] {
  return [
    `${weightPercent} %`,
    `${flush.deleted}`,
    `${flush.preserved}`,
    [hitRate.before, hitRate.lowest, hitRate.after].map(show).join(', '),
    show(recoverySeconds),
    [p95Ms.express, p95Ms.serverless].map(show).join(', '),
    [databaseP95Ms.before, databaseP95Ms.during, databaseP95Ms.after].map(show).join(', '),
    gate,
  ];
}

const show = (value: number | string | null): string => (value === null ? '-' : `${value}`);

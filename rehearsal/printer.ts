import Table from 'cli-table3';
import colors from 'picocolors';
import type { MachineEvent } from '../lambda/rollout/machine-event.ts';
import type { StageEvent } from './conductor.ts';
import { shownState } from './machine/events.ts';
import type { PhaseEvent } from './phase-conductor.ts';
import { describePhase, stepTable } from './phase-printer.ts';
import { PLAIN_TABLE } from './plain-table.ts';
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
  event(event: StageEvent | PhaseEvent): void;
  /** On a terminal one line that changes; elsewhere a line of its own every few seconds. */
  progress(progress: Progress): void;
  report(report: Report): void;
}

export interface PrinterOptions {
  readonly out: { write(text: string): unknown };
  readonly live: boolean;
  /** The terminal's width, so that the changing line stays one line. */
  readonly columns?: number | undefined;
}

const BAR_WIDTH = 12;
const PLAIN_PROGRESS_EVERY_SECONDS = 5;
const CLEAR_LINE = '\r\u001b[2K';

export function createPrinter({ out, live, columns = 80 }: PrinterOptions): Printer {
  let printedAt = Number.NEGATIVE_INFINITY;
  const entered = new Set<string>();
  const named = (event: MachineEvent): string | undefined => {
    const state = shownState(event);
    if (state === undefined || entered.has(state)) return undefined;
    entered.add(state);
    return colors.dim(`${'state'.padEnd(LABEL_WIDTH)}${state}`);
  };
  const line = (text: string) => out.write(`${live ? CLEAR_LINE : ''}${text}\n`);
  return {
    line,
    event(event) {
      const text = event.kind === 'machine' ? named(event.event) : describe(event);
      if (text !== undefined) line(text);
      // What it enters again in the next stage is named again.
      if (event.kind === 'judged') entered.clear();
    },
    progress(progress) {
      const elapsedSeconds = elapsedOf(progress);
      if (live) out.write(CLEAR_LINE + progressLine(progress, columns - 1));
      else if (elapsedSeconds - printedAt >= PLAIN_PROGRESS_EVERY_SECONDS) {
        printedAt = elapsedSeconds;
        line(progressLine(progress));
      }
    },
    report: (report) => line(`\n${reportTable(report)}`),
  };
}

const LABEL_WIDTH = 9;
const label = (text: string) => colors.dim(text.padEnd(LABEL_WIDTH));

function describe(event: Exclude<StageEvent, { kind: 'machine' }> | PhaseEvent): string {
  switch (event.kind) {
    case 'flushed': {
      const { flushed, preserved, seconds } = event.report;
      return `${label('flush')}${flushed} deleted, ${preserved} preserved, ${seconds} s`;
    }
    case 'stage':
      return `\n${colors.bold(`stage ${event.weightPercent} %`)}`;
    case 'told':
      return `${label('tell')}${event.subject}`;
    case 'weight':
      return `${label('weight')}${event.from} % -> ${event.to} %`;
    case 'judged':
      return judged(event);
    case 'rolled back':
      return colors.red(`${label('back')}weight 0 %, ${event.report.flushed} serverless entries flushed`);
    default:
      return describePhase(event);
  }
}

function judged({ stage, requests, reads }: Extract<StageEvent, { kind: 'judged' }>): string {
  const { gate, reasons, hitRate, p95Ms, recoverySeconds } = stage;
  const recovery = recoverySeconds === null ? 'not recovered' : `recovered after ${recoverySeconds} s`;
  const lines = [
    gate === 'pass' ? colors.green('pass') : colors.red('fail'),
    ...reasons.map((reason) => colors.red(reason)),
    `${requests} requests, p95 of hits ${show(p95Ms.serverless)} ms`,
    `hit rate ${show(hitRate.after)} over ${reads} reads, ${recovery}`,
  ];
  return lines.map((line, index) => label(index === 0 ? 'gate' : '') + line).join('\n');
}

const elapsedOf = ({ begin }: Progress) => (performance.now() - begin) / 1000;

function progressLine(progress: Progress, columns = Number.POSITIVE_INFINITY): string {
  const { totalSeconds, serverlessPercent, hitRate, p95Ms, staleReads, errors5xx } = progress;
  const elapsedSeconds = elapsedOf(progress);
  const done = Math.min(BAR_WIDTH, Math.round((elapsedSeconds / totalSeconds) * BAR_WIDTH));
  // The most important first: what does not fit is left out.
  const fields = [
    `[${'#'.repeat(done)}${'.'.repeat(BAR_WIDTH - done)}] ${Math.round(elapsedSeconds)}/${totalSeconds} s`,
    `${staleReads} stale`,
    `${errors5xx} errors`,
    `serverless ${serverlessPercent.toFixed(0)} %`,
    `hit rate ${show(hitRate?.toFixed(2) ?? null)}`,
    `p95 ${show(p95Ms ?? null)} ms`,
    `${progress.requests} requests`,
  ];
  let line = '';
  for (const field of fields) {
    const longer = line === '' ? field : `${line}  ${field}`;
    if (longer.length > columns) break;
    line = longer;
  }
  return staleReads === 0 ? line : colors.red(line);
}

function stageTable(stages: Report['stages']): string[] {
  const table = new Table({
    head: ['weight', 'flushed', 'hit rate', 'recovered', 'p95 ms', 'database ms', 'gate'],
    ...PLAIN_TABLE,
  });
  for (const stage of stages) table.push(rowOf(stage));
  return [
    table.toString(),
    colors.dim('hit rate of the serverless backend before, at its lowest, after; p95 of hits by'),
    colors.dim('express, serverless; p95 of the database before, during, after'),
  ];
}

function reportTable(report: Report): string {
  const { totals, staleByBackend, preserved, metrics, verdict, reasons } = report;
  const { recorded } = metrics;
  return [
    ...(report.migration === 'cw' ? stepTable(report.steps) : stageTable(report.stages)),
    '',
    `requests ${totals.requests}, 5xx ${totals.errors5xx}, writes ${totals.writes}, cross-backend reads ${totals.crossBackendReads}`,
    `stale reads ${totals.staleReads} (express ${staleByBackend.express}, serverless ${staleByBackend.serverless})`,
    ...(totals.staleReads > 0 ? [`the longest was stale for ${totals.longestStaleSeconds} s`] : []),
    ...(totals.boundedStaleReads > 0
      ? [`${totals.boundedStaleReads} old values within the bound of a pending write`]
      : []),
    `sessions ${totals.logins} begun, ${totals.logouts} ended, ${totals.checkedSessions} answers checked: ${totals.lostSessions} lost, ${totals.resurrectedSessions} back`,
    `serverless metrics: requests ${recorded.requests}, hits ${recorded.hits}, misses ${recorded.misses}, 5xx ${recorded.errors5xx}`,
    `preserved keys ${preserved.checked} checked, ${preserved.lost} lost`,
    colors.bold(verdict === 'pass' ? colors.green('verdict  pass') : colors.red('verdict  fail')),
    ...reasons.map((reason) => colors.red(`${label('')}${reason}`)),
  ].join('\n');
}

function rowOf(stage: StageReport): string[] {
  const { weightPercent, flush, hitRate, recoverySeconds, p95Ms, databaseP95Ms, gate } = stage;
  return [
    `${weightPercent} %`,
    `${flush.deleted}`,
    [hitRate.before, hitRate.lowest, hitRate.after].map((rate) => show(rate?.toFixed(2) ?? null)).join(' '),
    recoverySeconds === null ? '-' : `${recoverySeconds.toFixed(1)} s`,
    [p95Ms.express, p95Ms.serverless].map(milliseconds).join(' '),
    [databaseP95Ms.before, databaseP95Ms.during, databaseP95Ms.after].map(milliseconds).join(' '),
    gate,
  ];
}

const milliseconds = (value: number | null): string => show(value?.toFixed(1) ?? null);
const show = (value: number | string | null): string => (value === null ? '-' : `${value}`);

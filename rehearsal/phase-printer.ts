import Table from 'cli-table3';
import colors from 'picocolors';
import type { PhaseEvent } from './phase-conductor.ts';
import { PLAIN_TABLE } from './plain-table.ts';
import type { StepReport } from './step-report.ts';

const label = (text: string) => colors.dim(text.padEnd(9));
const show = (value: number | string | null | undefined): string => `${value ?? '-'}`;

/** A line or more of what a conductor of phases tells. */
export function describePhase(event: PhaseEvent): string {
  switch (event.kind) {
    case 'step':
      return `\n${colors.bold(`step ${event.step.name}`)}`;
    case 'carried': {
      const { to, keys, again, seconds } = event.carried;
      return `${label('backfill')}to ${to}: ${keys} keys in ${seconds} s, and again ${again}`;
    }
    case 'together':
      return `${label('phases')}${event.from} and ${event.to} at once for ${event.seconds.toFixed(1)} s`;
    case 'shifted':
      return `${label('')}${event.phase} everywhere`;
    case 'cleaned': {
      const { flushed, preserved, seconds } = event.report;
      return `${label('flush')}${flushed} deleted, ${preserved} preserved, ${seconds} s`;
    }
    case 'step judged':
      return judged(event.step);
  }
}

function judged(step: StepReport): string {
  const { gate, reasons, requests, errors5xx, hitRate, p95Ms, state } = step;
  const lines = [
    gate === 'pass' ? colors.green('pass') : colors.red('fail'),
    ...reasons.map((reason) => colors.red(reason)),
    `${requests} requests, ${errors5xx} errors, hit rate ${show(hitRate.after)}, p95 of hits ${show(p95Ms.serverless)} ms`,
    `${step.staleReads} stale, ${step.lostSessions} sessions lost, ${step.resurrectedSessions} back, ${state.lost} of ${state.checked} keys of state lost`,
    ...(step.legacyFallbacks ? [`${fallbacksOf(step)} reads fell back to an un-prefixed key`] : []),
  ];
  return lines.map((line, index) => label(index === 0 ? 'gate' : '') + line).join('\n');
}

const fallbacksOf = ({ legacyFallbacks }: StepReport): string =>
  legacyFallbacks ? `${legacyFallbacks.fallbacks} of ${legacyFallbacks.reads}` : '-';

/** The table at the end of a rehearsal of phases. */
export function stepTable(steps: readonly StepReport[]): string[] {
  const table = new Table({
    head: ['step', 'carried', 'hit rate', 'fallbacks', 'p95 ms', 'faults', 'gate'],
    ...PLAIN_TABLE,
  });
  for (const step of steps) table.push(rowOf(step));
  return [
    table.toString(),
    colors.dim('keys carried; hit rate of the serverless backend at its lowest, after; reads'),
    colors.dim('that only un-prefixed keys answered; p95 of hits by express, serverless;'),
    colors.dim('stale reads, sessions lost, sessions back, 5xx'),
  ];
}

function rowOf(step: StepReport): string[] {
  const { carried, hitRate, p95Ms, gate } = step;
  return [
    step.step,
    show(carried?.keys),
    [hitRate.lowest, hitRate.after].map((rate) => show(rate?.toFixed(2))).join(' '),
    fallbacksOf(step),
    [p95Ms.express, p95Ms.serverless].map((ms) => show(ms?.toFixed(1))).join(' '),
    [step.staleReads, step.lostSessions, step.resurrectedSessions, step.errors5xx].join(' '),
    gate,
  ];
}

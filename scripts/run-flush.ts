import {
  type FlushOptions,
  type FlushProgress,
  type FlushReport,
  flush,
  requireComplete,
} from '../lambda/flush/flush.ts';
import type { FlushedClass } from '../lambda/flush/tally.ts';
import { bytesText, countText, durationText, progressText, table } from './text.ts';
import { createTicker } from './ticker.ts';

/** Flushes, with progress on a terminal, and prints the report. @throws FlushLimitError after printing it, when it was stopped. */
export async function runFlush(options: FlushOptions, { json }: { json: boolean }): Promise<void> {
  const ticker = createTicker(process.stderr.isTTY && !json);
  const report = await flush({
    ...options,
    onProgress: (progress) => ticker.show(() => progressLine(progress, options.dryRun === true)),
    onRestart: (why) => ticker.say(`${why.message}; trying again`),
  }).finally(ticker.end);
  printFlush(report, { dryRun: options.dryRun === true, json });
}

/** Prints the report. @throws FlushLimitError after it, when the flush was stopped. */
export function printFlush(report: FlushReport, { dryRun, json }: { dryRun: boolean; json: boolean }): void {
  if (json) {
    const { positions: _positions, ...figures } = report;
    console.log(JSON.stringify({ dryRun, ...figures }, null, 2));
  } else console.log(describe(report, dryRun));
  requireComplete(report, { dryRun });
}

/** How far it is, on a line. */
export function progressLine({ scanned, keys, flushed }: FlushProgress, dryRun: boolean): string {
  return `${progressText(scanned, keys)}, ${countText(flushed)} ${dryRun ? 'due' : 'deleted'}`;
}

function describe(report: FlushReport, dryRun: boolean): string {
  const { scanned, flushed, preserved } = report;
  // What void passes have deleted is gone, too; what they have seen is seen again.
  const seen =
    report.restarts === 0
      ? `${flushed} of ${scanned} keys`
      : `${flushed} keys, the last pass saw ${scanned},`;
  const patterns = (fate: string) =>
    report.classes.flatMap((each) => (each.fate === fate ? (each.pattern ?? []) : [])).join(' ');
  return [
    `${dryRun ? 'would flush' : 'flushed'}  ${seen} in ${report.seconds} s (${patterns('flush')})`,
    `preserved  ${preserved} keys (${patterns('preserve')})`,
    ...(dryRun ? ['', classTable(report.classes), ...sampleLines(report.classes)] : []),
  ].join('\n');
}

function classTable(classes: readonly FlushedClass[]): string {
  const rows = classes.map(({ pattern = '(no pattern)', fate, keys, survey }) => [
    fate,
    pattern,
    countText(keys),
    survey && keys > 0 ? bytesText(survey.bytes) : '',
    survey && keys > 0 ? ttlSpread(survey) : '',
  ]);
  return table(['', 'pattern', 'keys', 'bytes', 'expire in'], rows);
}

/** The shortest, the middle and the longest time to live of those that were sampled. */
function ttlSpread({ ttlSeconds, lasting }: NonNullable<FlushedClass['survey']>): string {
  const sampled = ttlSeconds.length + lasting;
  const never = lasting === 0 ? '' : `${Math.round((lasting / Math.max(1, sampled)) * 100)} % never`;
  if (ttlSeconds.length === 0) return never;
  const at = (share: number) => durationText(ttlSeconds[Math.floor(share * (ttlSeconds.length - 1))] ?? 0);
  return [`${at(0)} - ${at(0.5)} - ${at(1)}`, ...(never ? [never] : [])].join(', ');
}

function sampleLines(classes: readonly FlushedClass[]): string[] {
  return classes.flatMap(({ pattern = '(no pattern)', fate, survey }) => {
    if (fate === 'preserve' || !survey || survey.samples.length === 0) return [];
    return ['', `${pattern}  for example`, ...survey.samples.map((key) => `  ${JSON.stringify(key)}`)];
  });
}

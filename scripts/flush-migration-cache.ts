import { Command } from 'commander';
import { environmentName } from '../lambda/cache/phase.ts';
import { ConfigurationError } from '../lambda/contract/errors.ts';
import { readSwitch } from '../lambda/contract/switches.ts';
import type { FlushReport } from '../lambda/flush/engine.ts';
import { type FlushPlan, planFlush } from '../lambda/flush/plan.ts';

interface Flags {
  readonly dryRun?: true;
  readonly json?: true;
}

export const flushCommand = new Command('flush')
  .description('delete the cached collections in every namespace; sessions and quotas stay')
  .option('--dry-run', 'count and show the first keys, delete nothing (or DRY_RUN=true)')
  .option('--json', 'print the figures as JSON')
  .addHelpText(
    'after',
    `
Environment: REDIS_URL (required), NODE_ENV (required: it names the namespace cw:{NODE_ENV}:), DRY_RUN.
Exit codes: 0 done, 1 failed or stopped at the limit of 60 s, 2 bad usage.`,
  )
  .action(async (flags: Flags) => {
    const { REDIS_URL: url } = process.env;
    if (!url) throw new ConfigurationError('flush: REDIS_URL is not set; it is redis://host:6379');
    const dryRun = flags.dryRun === true || readSwitch(process.env, 'DRY_RUN');
    const plan = planFlush({ env: environmentName(process.env['NODE_ENV']) });
    const { flushAt } = await import('../lambda/flush/run.ts');
    const live = process.stderr.isTTY && !flags.json;
    const onProgress = ({ scanned, flushed }: FlushReport) =>
      live && process.stderr.write(`\r${scanned} keys scanned, ${flushed} to flush`);
    const report = await flushAt(url, { plan, dryRun, onProgress });
    if (live) process.stderr.write('\n');
    console.log(
      flags.json ? JSON.stringify({ dryRun, ...report }, null, 2) : describe(report, { dryRun, plan }),
    );
  });

function describe(report: FlushReport, { dryRun, plan }: { dryRun: boolean; plan: FlushPlan }): string {
  const { scanned, flushed, preserved, seconds, samples } = report;
  return [
    `${dryRun ? 'would flush' : 'flushed'}  ${flushed} of ${scanned} keys in ${seconds} s (${plan.flush.join(' ')})`,
    `preserved  ${preserved} keys (${plan.preserve.join(' ')})`,
    ...(dryRun ? samples.map((key) => `  ${JSON.stringify(key)}`) : []),
  ].join('\n');
}

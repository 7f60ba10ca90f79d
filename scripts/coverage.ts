import { Command, InvalidArgumentError } from 'commander';
import colors from 'picocolors';
import { CutoverError } from '../lambda/contract/errors.ts';
import { coverageOf } from '../lambda/coverage/open-coverage.ts';
import type { CoverageReport, Writer } from '../lambda/coverage/report.ts';
import { countText, table } from './text.ts';

/** Somebody writes without an invalidation, or nobody finds out. */
class CoverageError extends CutoverError {
  override readonly name = 'CoverageError';
  readonly code = 'CUTOVER_COVERAGE';
}

interface Flags {
  readonly since: number;
  readonly json?: true;
}

const DAY_SECONDS = 86_400;

export const coverageCommand = new Command('coverage')
  .description('say who changes which table, and whether its changes are invalidated; changes nothing')
  .option('--since <time>', 'how far back, such as 90m, 24h or 7d', seconds, DAY_SECONDS)
  .option('--json', 'print it as JSON')
  .addHelpText(
    'after',
    `
Writers are named by the application_name of their connections to PostgreSQL: give each service one of its own. The dispatcher of the
outbox finds out, at its second visit after a write, whether somebody had invalidated what the write made outdated. A write of a key that
a mirror has filled since proves nothing, and is not counted. The API's own writes are not listed: they go through the outbox.

Environment: REDIS_URL (as the user auditor where there are users) and DATABASE_URL (required), REDIS_CLUSTER, REDIS_AUTH, DATABASE_AUTH,
DATABASE_PASSWORD.
Exit codes: 0 all that wrote since then are covered, 1 somebody is not, no dispatcher is there, or failed, 2 bad usage.`,
  )
  .action(async ({ since, json }: Flags) => {
    const report = await coverageOf(process.env, since);
    console.log(json ? JSON.stringify(report, null, 2) : textOf(report));
    requireCovered(report);
  });

const UNITS: Readonly<Record<string, number>> = { m: 60, h: 3600, d: DAY_SECONDS };

/** Reads `24h` as seconds. */
function seconds(text: string): number {
  const [, amount, unit = ''] = /^(\d{1,4})([mhd])$/.exec(text) ?? [];
  const value = Number(amount) * (UNITS[unit] ?? 0);
  if (value > 0) return value;
  throw new InvalidArgumentError(
    '--since is a number of minutes, hours or days above 0, such as 90m, 24h or 7d.',
  );
}

function textOf({ since, writers, instances }: CoverageReport): string {
  const rows = writers.map((each) => [
    each.table,
    each.writer,
    each.covered ? 'covered' : 'NOT COVERED',
    countText(each.writes),
    countText(each.uncoveredWrites),
    each.lastSeen.toISOString(),
  ]);
  const present = new Map<string, number>();
  for (const { service, phase, mirror } of instances) {
    const text = `${service}${phase ? `, phase ${phase}` : ''}${mirror ? ', mirror' : ''}`;
    present.set(text, (present.get(text) ?? 0) + 1);
  }
  return [
    writers.length > 0
      ? table(['table', 'writer', '', 'writes', 'uncovered', 'last seen'], rows)
      : `no write by somebody who knows of no outbox since ${since.toISOString()}: that says nothing of who has yet to write`,
    '',
    instances.length > 0 ? 'there now:' : 'there now: nobody',
    ...Array.from(present, ([text, count]) => `  ${text}: ${countText(count)}`),
  ].join('\n');
}

/** @throws CoverageError naming each writer that is not covered, and what to do. */
function requireCovered({ complete, judged, writers }: CoverageReport): void {
  if (complete) return;
  const uncovered = writers.filter(({ covered }) => !covered);
  const told = uncovered.map(
    ({ table: name, writer, lastUncovered }: Writer) =>
      `coverage: ${writer} changes ${name} without an invalidation, last at ${lastUncovered?.toISOString()}; put the mirror into it (cutover/mirror), or have it write through the outbox`,
  );
  if (!judged) {
    told.push(
      'coverage: no dispatcher has used this Redis in the last 2 minutes, so nobody finds out who writes; start one, wait for two of its visits, and ask again',
    );
  }
  throw new CoverageError(told.map((line) => colors.red(line)).join('\n'));
}

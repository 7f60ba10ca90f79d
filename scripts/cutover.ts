import { Command, CommanderError } from 'commander';
import colors from 'picocolors';
import { auditCommand } from './audit.ts';
import { backfillCommand } from './backfill.ts';
import { censusCommand } from './census.ts';
import { cleanupCommand } from './cleanup.ts';
import { compareCommand } from './compare.ts';
import { consoleCommand } from './console.ts';
import { coverageCommand } from './coverage.ts';
import { doctorCommand } from './doctor.ts';
import { explainCommand } from './explain.ts';
import { flushCommand } from './flush-migration-cache.ts';
import { phaseCommand } from './phase.ts';
import { rehearseCommand } from './rehearse.ts';
import { rollbackCommand } from './rollback.ts';
import { rolloutCommand } from './rollout.ts';
import { serveCommand } from './serve.ts';

/** Exit codes: 0 done, 1 failed, 2 bad usage. */
const FAILED = 1;
const BAD_USAGE = 2;
/** By their codes: a bundle that is served has classes of its own. */
const BAD_USAGE_CODES = new Set(['CUTOVER_USAGE', 'CUTOVER_CONFIGURATION', 'CUTOVER_INVALID_KEY']);

const program = new Command('cutover')
  .description('Moves live traffic from one backend to another: no stale read, no lost session, a way back.')
  .addCommand(rehearseCommand)
  .addCommand(serveCommand)
  .addCommand(flushCommand)
  .addCommand(censusCommand)
  .addCommand(cleanupCommand)
  .addCommand(auditCommand)
  .addCommand(coverageCommand)
  .addCommand(backfillCommand)
  .addCommand(compareCommand)
  .addCommand(rolloutCommand)
  .addCommand(rollbackCommand)
  .addCommand(consoleCommand)
  .addCommand(doctorCommand)
  .addCommand(explainCommand)
  .addCommand(phaseCommand);
for (const command of [program, ...program.commands]) {
  command.exitOverride().showHelpAfterError('(add --help for the options)');
}

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

function exitCodeOf(error: unknown): number {
  // Commander has printed its own message, or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : BAD_USAGE;
  console.error(colors.red(error instanceof Error ? error.message : String(error)));
  if (error instanceof Error && 'code' in error && BAD_USAGE_CODES.has(String(error.code))) return BAD_USAGE;
  if (process.env['DEBUG']) console.error(error);
  return FAILED;
}

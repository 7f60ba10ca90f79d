import { Command, InvalidArgumentError } from 'commander';
import colors from 'picocolors';
import { type AuditReport, DEFAULT_AUDIT_LIMIT_SECONDS, DEFAULT_SAMPLE } from '../lambda/audit/audit.ts';
import { openAuditor } from '../lambda/audit/open-auditor.ts';
import { CutoverError } from '../lambda/contract/errors.ts';
import { type PassFlags, withPassOptions } from './pass-options.ts';
import { countText, durationText, progressText, table } from './text.ts';
import { createTicker } from './ticker.ts';

/** Entries are stale, or not every key was seen. */
class AuditError extends CutoverError {
  override readonly name = 'AuditError';
  readonly code = 'CUTOVER_AUDIT';
}

interface Flags extends PassFlags {
  readonly all?: true;
  readonly sample: number;
}

const described = new Command('audit')
  .description('compare what is cached with the rows in the database; changes nothing')
  .option('--all', 'every entry, not a sample')
  .option('--sample <number>', 'entries of each family in each namespace', atLeastOne, DEFAULT_SAMPLE);

export const auditCommand = withPassOptions(described, DEFAULT_AUDIT_LIMIT_SECONDS)
  .addHelpText(
    'after',
    `
Each entry is compared with what the API would load now. One that differs is looked at again twice, a second apart, and is stale
only if it has not changed, nobody is about to replace it, and the outbox has nothing left to forget of it. With --json the keys of
stale entries are printed, too: an id in a key may be a person's.

Environment: REDIS_URL (as the user auditor where there are users), NODE_ENV and DATABASE_URL (required), REDIS_CLUSTER, REDIS_AUTH,
DATABASE_AUTH, DATABASE_PASSWORD.
Exit codes: 0 nothing stale, 1 stale entries, failed, or with --all stopped at the limit, 2 bad usage.`,
  )
  .action(async ({ all, sample, maxLatencyMs, limitSeconds, json }: Flags) => {
    const ticker = createTicker(process.stderr.isTTY && !json);
    const say = (message: string) => ticker.say(message);
    const auditor = await openAuditor(process.env, { info() {}, warn: say, error: say });
    try {
      const report = await auditor.audit({
        ...{ sample: all ? ('all' as const) : sample, maxLatencyMs, limitSeconds },
        onProgress: ({ scanned, expected }) => ticker.show(() => progressText(scanned, expected)),
        onRestart: (why) => say(`${why.message}; trying again`),
      });
      ticker.end();
      const { positions: _positions, ...figures } = report;
      console.log(json ? JSON.stringify(figures, null, 2) : textOf(report));
      requireFresh(report, all === true);
    } finally {
      ticker.end();
      await auditor.close();
    }
  });

function atLeastOne(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('--sample is a whole number above 0, such as 20.');
}

function textOf({ audited, stale, classes, notAudited, scanned, seconds, restarts }: AuditReport): string {
  const rows = classes.map((each) => [
    `${each.namespace}${each.family}:*`,
    '',
    ...[each.audited, each.stale, each.pending, each.unsettled].map(countText),
  ]);
  const oldest = Math.max(0, ...stale.map(({ ageSeconds }) => ageSeconds));
  return [
    `audited  ${countText(audited)} entries among ${countText(scanned)} keys in ${seconds} s`,
    ...(restarts > 0 ? [`begun again ${restarts} times: some entries were compared more than once`] : []),
    '',
    table(['keys', '', 'audited', 'stale', 'pending', 'in use'], rows),
    '',
    ...notAudited.map((name) =>
      colors.yellow(`${name}:* not audited: add how it is read to lambda/audit/loaders.ts`),
    ),
    ...(stale.length > 0
      ? [
          colors.red(
            `stale: ${countText(stale.length)}, the oldest stored ${durationText(oldest)} ago at the most`,
          ),
        ]
      : []),
  ].join('\n');
}

/** @throws AuditError for what is not as it should be. */
function requireFresh({ stale, complete, seconds }: AuditReport, all: boolean): void {
  if (stale.length > 0) {
    throw new AuditError(
      `audit: ${countText(stale.length)} entries are older than their rows; see who writes without the mirror by cutover coverage, and flush what is stale`,
    );
  }
  if (all && !complete) {
    throw new AuditError(
      `audit: stopped at its limit after ${seconds} s, so not every entry was compared; raise --limit-seconds`,
    );
  }
}

import { type Cursor, STATES } from '../../../lambda/contract/rollout.ts';
import { judgeEarly } from '../../../lambda/rollout/gates.ts';
import { figuresOf, settleMs } from '../../../lambda/rollout/watch.ts';
import type { ConsoleState } from '../../../rehearsal/console/contract.ts';
import type { EnteredState, ExecutionReport } from '../rollout/machine.ts';
import type { StageMinute } from './figures.ts';

/** What is known of a stage now. */
export interface Known {
  readonly stage: string;
  /** Why AWS could not be asked just now; undefined where it could. */
  readonly problem: string | undefined;
  readonly status: ConsoleState['status'];
  readonly execution: ExecutionReport | undefined;
  /** The state that was entered last, and the newest cursor. */
  readonly last: EnteredState | undefined;
  readonly cursor: Cursor | undefined;
  readonly redAlarms: readonly string[];
  /** The last minutes. */
  readonly minutes: readonly StageMinute[];
  /** All that the auditor has found while this was looked at. */
  readonly staleEntries: number;
}

const BACK: ReadonlySet<string> = new Set([
  STATES.legacyBack,
  STATES.serverlessBack,
  STATES.flushBack,
  STATES.tellBack,
]);

/** Whether it is safe to go on, by the gate's rule over what the functions say of themselves: what speaks against it first. */
export function safetyOf(known: Known): ConsoleState['safety'] {
  const { problem, status, execution, last, cursor, redAlarms, minutes, staleEntries } = known;
  if (execution && status === 'failed') return { level: 'unsafe', text: endText(execution, known) };
  if (status === 'running' && last && BACK.has(last.state)) {
    return { level: 'unsafe', text: `The rollout goes back: ${last.state}.` };
  }
  const settled = minutes.filter(({ at }) => at >= settledAt(known));
  const against = [
    ...(redAlarms.length > 0 ? [`red alarms: ${redAlarms.join(', ')}`] : []),
    ...judgeEarly({ ...figuresOf(minutes, settled), staleEntries }),
  ];
  if (against.length > 0) return { level: 'unsafe', text: `${against.join('; ')}.` };
  if (problem !== undefined) return { level: 'wait', text: `AWS cannot be asked: ${problem}` };
  const note = cursor?.note ?? 'The rollout is under way';
  if (status === 'paused') return { level: 'wait', text: `${note}: it waits for an approval.` };
  if (minutes.length === 0) return { level: 'wait', text: 'CloudWatch has no figures of the last minutes.' };
  if (status === 'running')
    return { level: 'wait', text: `${note}; nothing speaks against going on so far.` };
  const where = status === 'passed' ? 'The rollout is done' : 'No rollout runs';
  return { level: 'safe', text: `${where}: no alarm is red, and nothing speaks against going on.` };
}

function endText({ status, error, cause }: ExecutionReport, { stage }: Known): string {
  const why = cause ?? error ?? 'no reason is known';
  if (error === 'RolloutRefusedError') return `The rollout was refused, and nothing was changed: ${why}`;
  if (status === 'FAILED') return `The rollout went back: ${why}`;
  return `The rollout was ${status.toLowerCase().replaceAll('_', ' ')}, and nobody has taken the traffic back: npm run cutover -- rollback --stage ${stage}`;
}

/** From when on the caches have recovered: hit rate and latency are of what comes after, as the gate judges them. */
function settledAt({ status, cursor }: Known): number {
  if (status !== 'running' || !cursor) return 0;
  const { advancedAt, stages, index } = cursor;
  if (advancedAt === null) return Number.POSITIVE_INFINITY;
  return Date.parse(advancedAt) + settleMs(stages[index]?.minutes ?? 0);
}

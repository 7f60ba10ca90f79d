import { judgeEarly } from '../../../lambda/rollout/gates.ts';
import type { ConsoleState } from '../../../rehearsal/console/contract.ts';
import type { StageMinute } from './figures.ts';

/** What is known of a stage now. */
export interface Known {
  /** Why AWS could not be asked just now; undefined where it could. */
  readonly problem: string | undefined;
  readonly status: ConsoleState['status'];
  /** Of a rollout that has failed. */
  readonly cause: string | undefined;
  /** What the rollout says of where it is. */
  readonly note: string | undefined;
  readonly redAlarms: readonly string[];
  /** The last minutes. */
  readonly minutes: readonly StageMinute[];
  /** Whether a stage is observed now: then it is not decided yet. */
  readonly isObserved: boolean;
}

/** Whether it is safe to go on, by the same rule as the gate: what speaks against it first, then what is not known. */
export function safetyOf(known: Known): ConsoleState['safety'] {
  const { problem, status, cause, note, redAlarms, minutes, isObserved } = known;
  const against = [
    ...(redAlarms.length > 0 ? [`red alarms: ${redAlarms.join(', ')}`] : []),
    ...judgeEarly(figuresOf(minutes)),
  ];
  if (status === 'failed')
    return { level: 'unsafe', text: `The rollout went back: ${cause ?? 'no reason is known'}` };
  if (against.length > 0) return { level: 'unsafe', text: `${against.join('; ')}.` };
  if (problem !== undefined) return { level: 'wait', text: `AWS cannot be asked: ${problem}` };
  if (status === 'paused')
    return { level: 'wait', text: `${note ?? 'A stage is done'}: it waits for an approval.` };
  if (minutes.length === 0) return { level: 'wait', text: 'CloudWatch has no figures of the last minutes.' };
  if (isObserved)
    return {
      level: 'wait',
      text: `${note ?? 'A stage is observed'}; nothing speaks against going on so far.`,
    };
  if (status === 'running') return { level: 'wait', text: `${note ?? 'The rollout is under way'}.` };
  const done = status === 'passed' ? 'The rollout is done: ' : 'No rollout runs: ';
  return { level: 'safe', text: `${done}no alarm is red, and nothing speaks against going on.` };
}

function figuresOf(minutes: readonly StageMinute[]) {
  const sum = (of: (minute: StageMinute) => number) => minutes.reduce((total, each) => total + of(each), 0);
  const hits = sum((minute) => minute.hits);
  const measured = minutes.flatMap(({ p95Ms }) => p95Ms ?? []);
  return {
    requests: sum((minute) => minute.requests),
    errors: sum((minute) => minute.errors),
    ...{ hits, reads: hits + sum((minute) => minute.misses) },
    hitP95Ms:
      measured.length === 0 ? undefined : Math.round(measured.reduce((a, b) => a + b, 0) / measured.length),
    connectionFailures: sum((minute) => minute.connectionFailures),
    staleEntries: sum((minute) => minute.staleEntries),
  };
}

import { STATES } from '../lambda/contract/rollout.ts';
import type { MachineEvent } from '../lambda/rollout/machine-event.ts';
import type { DatabaseProbe } from './database-probe.ts';
import { execute } from './machine/interpreter.ts';
import { LONGEST_WAIT_SECONDS, WAIT_SHARE } from './options.ts';
import type { Recorder } from './recorder.ts';
import type { StageReport } from './report.ts';
import { createControl, type RolloutControl } from './rollout/control.ts';
import { rehearsedDefinition } from './rollout/definition.ts';
import { createStageBook, type RehearsedStage } from './rollout/stage-book.ts';
import { rehearsedTasks, type TaskEvent, type TaskSources } from './rollout/tasks.ts';

/** What a conductor tells while it works. */
export type StageEvent =
  | TaskEvent
  | { readonly kind: 'stage'; readonly weightPercent: number }
  | { readonly kind: 'machine'; readonly event: MachineEvent };

export interface ConductorOptions extends TaskSources {
  readonly stages: readonly RehearsedStage[];
  readonly recorder: Recorder;
  readonly probe: DatabaseProbe;
  /** Ends the rollout where it is: the promise rejects. */
  readonly signal: AbortSignal;
  readonly onEvent: (event: StageEvent) => void;
  /** Told, before it begins, what may be done to the rollout. */
  readonly onControl?: (control: RolloutControl) => void;
}

const EXECUTION = 'rehearsal';
/** How often a stage is looked at. */
const LOOKS = 40;
const LONGEST_LOOK_MS = 1000;
const RETRY_MS = 100;

/**
 * Moves the traffic stage by stage: runs the definition that is deployed, its tasks bound to this machine. A failed gate, and a stop, send
 * all traffic back and end the rollout.
 * @returns a report for each stage that was begun, the last one with what speaks against it; at least one.
 */
export async function conduct(options: ConductorOptions): Promise<readonly StageReport[]> {
  const { stages, signal, onEvent, onControl = () => {} } = options;
  const { control, going, pausedMs, read } = createControl(EXECUTION);
  onControl(control);
  const book = createStageBook({ ...options, pausedMs });
  const perform = rehearsedTasks({ ...options, book, stop: { read } });
  const shortestMs = Math.min(...stages.map(({ seconds }) => seconds)) * 1000;
  const lookMs = Math.min(LONGEST_LOOK_MS, shortestMs / LOOKS);
  const settleMs = Math.min(shortestMs * WAIT_SHARE, LONGEST_WAIT_SECONDS * 1000);

  const { status, cause } = await execute({
    // Here a second is as long as a minute there.
    definition: rehearsedDefinition(
      stages.map(({ weightPercent, seconds }) => ({ percent: weightPercent, minutes: seconds })),
    ),
    ...{ execution: EXECUTION, machine: EXECUTION, signal, retryMs: RETRY_MS },
    waitMs: (state) => (state === STATES.settle ? settleMs : lookMs),
    onEvent(event) {
      if (isEntered(event, STATES.coverage)) onEvent({ kind: 'stage', ...book.next() });
      onEvent({ kind: 'machine', event });
    },
    async invoke(resource, payload) {
      await going();
      return perform(resource, payload);
    },
  });
  book.abandon();
  signal.throwIfAborted();
  const hasFailed = book.reports.at(-1)?.gate === 'fail';
  if (status === 'FAILED' && !hasFailed) onEvent({ kind: 'judged', ...book.end([cause ?? 'it has failed']) });
  return book.reports;
}

const isEntered = ({ type, state }: MachineEvent, name: string): boolean =>
  type.endsWith('StateEntered') && state === name;

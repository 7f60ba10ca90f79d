import { type Cursor, STATES } from '../../../lambda/contract/rollout.ts';
import type { ConsoleState, Mark, StageView } from '../../../rehearsal/console/contract.ts';
import type { EnteredState, ExecutionReport } from '../rollout/machine.ts';

const STATUS: Readonly<Record<string, ConsoleState['status']>> = { RUNNING: 'running', SUCCEEDED: 'passed' };

/** How a rollout stands for who looks; one that waits for an approval is paused. */
export function statusOf(
  execution: ExecutionReport | undefined,
  last: EnteredState | undefined,
): ConsoleState['status'] {
  if (!execution) return 'idle';
  const status = STATUS[execution.status] ?? 'failed';
  return status === 'running' && last?.state === STATES.approve ? 'paused' : status;
}

/** The stages by the cursor of the state that was entered last. */
export function stagesOf(
  cursor: Cursor | undefined,
  status: ConsoleState['status'],
  cause?: string,
): StageView[] {
  if (!cursor) return [];
  const now = status === 'failed' ? 'failed' : 'current';
  return cursor.stages.map(({ percent }, index): StageView => {
    const isDone = status === 'passed' || index < cursor.index;
    const isBegun = index === cursor.index && status !== 'paused';
    const mine = isDone ? 'passed' : isBegun ? now : 'next';
    return { name: `${percent} %`, status: mine, reasons: mine === 'failed' && cause ? [cause] : [] };
  });
}

const KINDS: Readonly<Record<string, Mark['kind']>> = {
  [STATES.flush]: 'flush',
  [STATES.advance]: 'weight',
  [STATES.approve]: 'pause',
  [STATES.legacyBack]: 'back',
};

/** What to see of a state in the charts; undefined for most. */
export function markOf({ at, state, cursor }: EnteredState): Mark | undefined {
  const kind = KINDS[state];
  if (!kind) return undefined;
  const percent = cursor?.stages[cursor.index]?.percent;
  const text = kind === 'weight' && percent !== undefined ? `to ${percent} %` : state;
  return { at: Date.parse(at), kind, text };
}

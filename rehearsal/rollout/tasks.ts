import type { Cursor } from '../../lambda/contract/rollout.ts';
import type { FlushProgress } from '../../lambda/flush/flush.ts';
import type { CoverageAnswer } from '../../lambda/rollout/checks.ts';
import type { CompareOptions } from '../../lambda/rollout/compare/compare.ts';
import { RolloutGateError } from '../../lambda/rollout/errors.ts';
import type { StopFlag } from '../../lambda/rollout/stop.ts';
import { compareTask } from '../../lambda/rollout/tasks/compare.ts';
import { gateTask } from '../../lambda/rollout/tasks/gate.ts';
import { trafficTask } from '../../lambda/rollout/tasks/traffic.ts';
import type { Observation } from '../../lambda/rollout/watch.ts';
import { type FigureSources, rehearsedFigures } from './figures.ts';
import { routerRecords, type WeightedRouter } from './records.ts';
import type { StageBook } from './stage-book.ts';
import type { Judged } from './stage-watch.ts';

/** Where the tasks have what they need from. */
export interface TaskSources extends FigureSources {
  readonly router: WeightedRouter;
  /** Flushes the cache families; with a namespace, only there. */
  readonly flush: (onlyNamespace?: string) => Promise<FlushProgress>;
  /** Undefined for the plain way, in which nobody asks. */
  readonly coverage: (() => Promise<CoverageAnswer>) | undefined;
  readonly compare: CompareOptions | undefined;
}

/** What is told while they are done. */
export type TaskEvent =
  | { readonly kind: 'flushed'; readonly weightPercent: number; readonly report: FlushProgress }
  | { readonly kind: 'weight'; readonly from: number; readonly to: number }
  | ({ readonly kind: 'judged' } & Judged)
  | { readonly kind: 'rolled back'; readonly report: FlushProgress }
  | { readonly kind: 'told'; readonly subject: string };

export interface TasksOptions extends TaskSources {
  readonly book: StageBook;
  readonly stop: Pick<StopFlag, 'read'>;
  readonly onEvent: (event: TaskEvent) => void;
}

const NOT_ASKED = { text: 'the plain way does not ask' };

/** Does the tasks of the definition here: those that are deployed, with other ports. @returns as `execute` wants it. */
export function rehearsedTasks(options: TasksOptions) {
  const { router, flush, coverage, compare, book, stop, onEvent } = options;
  const traffic = trafficTask({
    records: routerRecords(router),
    executions: { list: async () => [] },
    stop,
  });
  const gate = gateTask({
    coverage: async () => coverage?.() ?? Promise.reject(new Error('rehearse: there is no coverage')),
    // Here is no CloudWatch.
    redAlarms: async () => [],
    recovery: async () => book.recovery(),
    figures: rehearsedFigures(options),
    pace: book.pace,
    stop,
  });
  const compared = compare && compareTask({ ...compare, stop });
  let failure: readonly string[] = [];

  const end = (reasons: readonly string[]) => onEvent({ kind: 'judged', ...book.end(reasons) });

  const flushTask = async ({ namespace }: { readonly namespace?: string }) => {
    const began = new Date().toISOString();
    const report = await flush(namespace && `${namespace}:`);
    if (namespace) onEvent({ kind: 'rolled back', report });
    else onEvent({ kind: 'flushed', ...book.begin(report), report });
    return { complete: true, began };
  };

  const tasks: Readonly<Record<string, (payload: never) => Promise<unknown>>> = {
    flush: flushTask,
    topic: async ({ Subject: subject }: { readonly Subject: string }) => onEvent({ kind: 'told', subject }),
    async 'rollout-compare'(payload) {
      return compared ? compared(payload) : NOT_ASKED;
    },
    async 'rollout-traffic'(payload: { readonly task: string }) {
      const from = router.weightPercent;
      // The first step of the way back.
      if (payload.task === 'legacy' && failure.length > 0) end(failure);
      const answer = await traffic(payload);
      if (payload.task !== 'advance') return answer;
      book.advanced();
      onEvent({ kind: 'weight', from, to: (answer as Cursor).percent });
      return answer;
    },
    async 'rollout-gate'(payload: { readonly task: string }) {
      if (payload.task === 'coverage' && !coverage) return NOT_ASKED;
      const answer = await gate(payload);
      if (payload.task === 'observe' && (answer as Observation).verdict === 'passed') end([]);
      return answer;
    },
  };

  return async (resource: string, payload: unknown): Promise<unknown> => {
    const task = tasks[resource.includes(':sns:') ? 'topic' : resource];
    if (!task) throw new Error(`rehearse: there is no ${resource}`);
    try {
      return await task(payload as never);
    } catch (error) {
      failure = error instanceof RolloutGateError ? error.reasons : [messageOf(error)];
      throw error;
    }
  };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

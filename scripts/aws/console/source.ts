import { PHASE_SWITCHES, type Phase } from '../../../lambda/contract/environment.ts';
import { prefixIn } from '../../../lambda/contract/namespaces.ts';
import type {
  AlarmView,
  BackendSample,
  ConsoleSource,
  ConsoleState,
  LogLine,
  Sample,
} from '../../../rehearsal/console/contract.ts';
import { recordsOf } from '../records.ts';
import { requireMachine } from '../rollout/index.ts';
import { type EnteredState, type ExecutionReport, machineReader } from '../rollout/machine.ts';
import { readRollout, readService } from '../stacks.ts';
import { alarmsOf } from './alarms.ts';
import { type StageMinute, stageFigures } from './figures.ts';
import { markOf, stagesOf, statusOf } from './rollout.ts';
import { safetyOf } from './safety.ts';

/** A deployed stage as AWS tells of it; looked at only. */
export interface StageSource extends ConsoleSource {
  /** Asks AWS again. What it cannot be asked is said in the state, and the log. */
  refresh(): Promise<void>;
}

const MINUTE_MS = 60_000;
const FIRST_LOOK_MS = 60 * MINUTE_MS;
/** CloudWatch completes a minute some minutes after it. */
const LATE_MS = 5 * MINUTE_MS;
const JUDGED_MS = 10 * MINUTE_MS;
const MAX_MINUTES = 3600;
const MAX_LINES = 200;
const NO_PATIENCE = { everyMs: 0, patienceMs: 0 };

/** What nobody measures of the legacy backend: it writes no metrics. */
const NOT_MEASURED: BackendSample = {
  ...{ requests: null, errors: 0, hits: 0, misses: 0, p50Ms: null, p95Ms: null },
  namespace: 'K',
};

/** @throws AwsError for a stage that is not deployed, or has no rollout. */
export async function stageSource(stage: string, now: () => number = Date.now): Promise<StageSource> {
  const [{ machine }, service, rollout] = await Promise.all([
    requireMachine(stage),
    readService(stage),
    readRollout(stage),
  ]);
  const { nodeEnv } = service;
  const phase = (service.phase in PHASE_SWITCHES ? service.phase : 'legacy') as Phase;
  const reader = machineReader(machine);
  const readMinutes = stageFigures({ environment: nodeEnv, fallsBack: phase === 'dual' });
  const minutes = new Map<number, StageMinute>();
  const log: LogLine[] = [];
  let execution: ExecutionReport | undefined;
  let entered: EnteredState[] = [];
  let alarms: readonly AlarmView[] = [];
  let weights: ConsoleState['weights'] = null;
  let problem: string | undefined;

  const say = (level: LogLine['level'], text: string, at = now()) => {
    // The looks at the gate are the same, once a minute.
    if (log.some((line) => line.text === text && line.level === 'info')) return;
    log.push({ at, level, text });
    log.sort((one, other) => one.at - other.at);
    log.splice(0, log.length - MAX_LINES);
  };

  const lookAtRollout = async () => {
    const newest = await reader.newest();
    if (newest?.arn !== execution?.arn) [entered, log.length] = [[], 0];
    execution = newest && (await reader.describe(newest.arn));
    if (!newest) return;
    const states = await reader.entered(newest.arn, entered.at(-1)?.id ?? 0);
    entered = [...entered, ...states];
    for (const { at, state, cursor } of states) {
      say('info', cursor ? `${state}: ${cursor.note}` : state, Date.parse(at));
    }
  };
  const lookAtWeights = async () => {
    if (!rollout) return;
    const { legacy, serverless } = await recordsOf(rollout, NO_PATIENCE).read();
    weights = legacy && serverless ? { legacy: legacy.Weight, serverless: serverless.Weight } : null;
  };
  const lookAtFigures = async () => {
    const known = [...minutes.keys()].at(-1);
    const from = known === undefined ? now() - FIRST_LOOK_MS : known - LATE_MS;
    // A minute that is not over would look like a fall.
    const to = Math.floor(now() / MINUTE_MS) * MINUTE_MS;
    for (const minute of await readMinutes({ from: Math.min(from, to - MINUTE_MS), to })) {
      const isNews = minute.staleEntries > 0 && !minutes.get(minute.at)?.staleEntries;
      if (isNews) say('error', staleText(stage, minute.staleEntries), minute.at);
      minutes.delete(minute.at);
      minutes.set(minute.at, minute);
    }
    for (const at of [...minutes.keys()].slice(0, -MAX_MINUTES)) minutes.delete(at);
  };

  const sorted = () => [...minutes.values()].sort((one, other) => one.at - other.at);

  return {
    async refresh() {
      const looks = [
        lookAtRollout(),
        lookAtWeights(),
        lookAtFigures(),
        alarmsOf(stage).then((found) => {
          alarms = found;
        }),
      ];
      const failed = (await Promise.allSettled(looks)).find((each) => each.status === 'rejected');
      const told = failed && messageOf(failed.reason);
      if (told !== problem) say(told ? 'error' : 'info', told ?? 'AWS answers again');
      problem = told;
    },
    samples: () =>
      sorted().map(
        ({ at, requests, errors, hits, misses, p50Ms, p95Ms, fallbacks }): Sample => ({
          ...{ at, spanMs: MINUTE_MS, fallbacks },
          backends: {
            legacy: NOT_MEASURED,
            serverless: {
              ...{ requests, errors, hits, misses, p50Ms, p95Ms },
              namespace: prefixIn(phase, { kind: 'cache' }, nodeEnv) || 'K',
            },
          },
        }),
      ),
    state(): ConsoleState {
      const kept = sorted();
      const last = entered.at(-1);
      const cursor = entered.findLast((each) => each.cursor)?.cursor;
      const status = statusOf(execution, last);
      const sum = (of: (minute: StageMinute) => number) => kept.reduce((total, each) => total + of(each), 0);
      return {
        ...{ kind: 'stage', title: `stage ${stage}`, at: now(), status, weights, alarms, log: [...log] },
        startedAt: execution ? Date.parse(execution.startedAt) : (kept[0]?.at ?? now()),
        endsAt: null,
        safety: safetyOf({
          ...{ stage, problem, status, execution, last, cursor },
          redAlarms: alarms.filter(({ state }) => state === 'alarm').map(({ name }) => name),
          minutes: kept.filter(({ at }) => at >= now() - JUDGED_MS),
          staleEntries: sum(({ staleEntries }) => staleEntries),
        }),
        stages: stagesOf(cursor, status, execution?.cause),
        machine: last ? { state: last.state, since: Date.parse(last.at) } : null,
        totals: {
          requests: sum(({ requests }) => requests),
          errors5xx: sum(({ errors }) => errors),
          ...{ writes: null, lostSessions: null },
          staleReads: sum(({ staleEntries }) => staleEntries),
        },
        // The auditor counts them; which they are it says in its log.
        stale: [],
        marks: entered.flatMap((each) => markOf(each) ?? []),
        actions: [],
      };
    },
  };
}

const staleText = (stage: string, entries: number): string =>
  `the auditor found ${entries} entries older than their rows: npm run cutover -- explain KEY --stage ${stage} says what is known of one; its log names them`;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

import type { DoctorReport } from '../lambda/doctor/doctor.ts';
import { type CheckReport, fail, notRun, pass } from '../lambda/doctor/examination.ts';
import type { Explanation } from '../lambda/explain/explain.ts';
import { sumOfTurns } from '../lambda/flush/census/turn.ts';
import type { Answer } from '../lambda/operator/answer.ts';
import type { OperatorEvent, QuestionEvent } from '../lambda/operator/event.ts';
import type { PhaseReport } from '../lambda/phases/phases.ts';
import { redAlarmsOf } from './aws/alarms.ts';
import { askOperator, operatorOf, takeTurns } from './aws/operator.ts';
import { printCensus } from './census-text.ts';
import { sumOfFlush } from './flush-turns.ts';
import { printFlush, progressLine } from './run-flush.ts';
import { progressText } from './text.ts';
import { createTicker, type Ticker } from './ticker.ts';

export interface ByStageOptions<Event> {
  readonly stage: string;
  readonly event: Event;
  readonly limitSeconds: number;
  readonly json: boolean;
}

type DeletingEvent = Extract<OperatorEvent, { readonly command: 'flush' | 'cleanup' }> & {
  readonly dryRun: boolean;
};
type CensusEvent = Extract<OperatorEvent, { readonly command: 'census' }>;

/** A dry run measures in the turn that sees the last key, and better what all keys are. */
const SECONDS_A_DRY_TURN = 60;

/**
 * Has the operator of a stage flush or clean up, with progress on a terminal, and prints the report.
 * @throws FlushLimitError after printing it, when it was stopped; what `takeTurns` throws.
 */
export async function flushByStage(options: ByStageOptions<DeletingEvent>): Promise<void> {
  const { stage, event, limitSeconds, json } = options;
  const { dryRun } = event;
  const turns = await watched(stage, json, (ticker, functionName) =>
    takeTurns<'flush' | 'cleanup'>({
      ...{ functionName, event, limitSeconds },
      ...(dryRun && { secondsATurn: SECONDS_A_DRY_TURN }),
      onTurn: (all) => ticker.show(() => progressLine(sumOfFlush(all), dryRun)),
    }),
  );
  const [first] = turns;
  if (first?.command === 'cleanup' && first.inUse.length > 0) {
    console.error(`cleanup: ${first.inUse.join(', ')} stay: their own phase reads there`);
  }
  printFlush(sumOfFlush(turns), { dryRun, json });
}

/**
 * Has the operator of a stage count, with progress on a terminal, and prints the report.
 * @throws FlushLimitError after printing it, when it was stopped; what `takeTurns` throws.
 */
export async function censusByStage(options: ByStageOptions<CensusEvent>): Promise<void> {
  const { stage, event, limitSeconds, json } = options;
  const turns = await watched(stage, json, (ticker, functionName) =>
    takeTurns<'census'>({
      ...{ functionName, event, limitSeconds },
      onTurn: (all) =>
        ticker.show(() => {
          const { scanned, expected } = sumOfTurns(all);
          return progressText(scanned, expected);
        }),
    }),
  );
  printCensus(sumOfTurns(turns), { env: turns[0]?.env ?? '', json });
}

/** Has the operator of a stage examine it, and asks which of its alarms are red. @throws AwsError, where the operator cannot be asked. */
export async function doctorByStage(stage: string): Promise<DoctorReport> {
  const [{ checks }, alarms] = await Promise.all([
    askStage<'doctor'>(stage, { command: 'doctor' }),
    alarmsOf(stage),
  ]);
  return { checks: [...checks, alarms] };
}

/** Has the operator of a stage explain a key. @throws AwsError; ConfigurationError for a key of no family. */
export function explainByStage(
  stage: string,
  event: { readonly key: string; readonly showValue: boolean },
): Promise<Explanation> {
  return askStage<'explain'>(stage, { command: 'explain', ...event });
}

/** Has the operator of a stage report its phases. @throws AwsError. */
export function phasesByStage(stage: string): Promise<PhaseReport> {
  return askStage<'phase'>(stage, { command: 'phase' });
}

async function askStage<Command extends QuestionEvent['command']>(
  stage: string,
  event: Extract<QuestionEvent, { readonly command: Command }>,
): Promise<Extract<Answer, { readonly command: Command }>> {
  return askOperator<Command>(await operatorOf(stage), event);
}

async function alarmsOf(stage: string): Promise<CheckReport> {
  const check = 'alarms';
  try {
    const red = await redAlarmsOf(stage);
    if (red.length === 0) return { check, ...pass('none is red') };
    return {
      check,
      ...fail(
        `red: ${red.join(', ')}`,
        'read the article of each in docs/operations; a deployment does not notice what was red before it',
      ),
    };
  } catch (error) {
    return { check, ...notRun((error as Error).message) };
  }
}

async function watched<T>(
  stage: string,
  json: boolean,
  work: (ticker: Ticker, functionName: string) => Promise<T>,
): Promise<T> {
  const functionName = await operatorOf(stage);
  const ticker = createTicker(process.stderr.isTTY && !json);
  ticker.show(() => `${stage}: the operator has begun`);
  return work(ticker, functionName).finally(ticker.end);
}

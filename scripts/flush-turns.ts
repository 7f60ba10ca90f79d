import { type ClassSurvey, mergeSurveys } from '../lambda/flush/class-survey.ts';
import type { FlushReport } from '../lambda/flush/flush.ts';
import type { FlushedClass } from '../lambda/flush/tally.ts';

/**
 * Adds up the turns of one flush, in their order. What a turn saw of a server that was another one by the next is counted again
 * there, as a restart.
 */
export function sumOfFlush(turns: readonly FlushReport[]): FlushReport {
  const last = turns.at(-1);
  if (!last) throw new Error('flush: there is no turn to add up');
  const sum = (of: (turn: FlushReport) => number) => turns.reduce((total, turn) => total + of(turn), 0);
  return {
    scanned: sum(({ scanned }) => scanned),
    // Later turns find fewer, since keys are gone.
    keys: turns[0]?.keys ?? 0,
    flushed: sum(({ flushed }) => flushed),
    preserved: sum(({ preserved }) => preserved),
    seconds: Math.round(sum(({ seconds }) => seconds) * 1000) / 1000,
    classes: last.classes.map(({ pattern, fate }) => classOf(turns, { pattern, fate })),
    complete: last.complete,
    positions: last.positions,
    restarts: sum(({ restarts }) => restarts) + restartsBetween(turns),
  };
}

function classOf(
  turns: readonly FlushReport[],
  { pattern, fate }: Pick<FlushedClass, 'pattern' | 'fate'>,
): FlushedClass {
  // JSON has no undefined: the class of no pattern comes without one.
  const own = turns.flatMap(({ classes }) =>
    classes.filter((each) => each.pattern === pattern && each.fate === fate),
  );
  const keysOf = (classes: readonly FlushedClass[]) => classes.reduce((total, { keys }) => total + keys, 0);
  const surveyed = own.filter(({ survey }) => survey !== undefined);
  const survey = surveyOf(surveyed, keysOf(own) / Math.max(1, keysOf(surveyed)));
  return { pattern, fate, keys: keysOf(own), ...(survey && { survey }) };
}

/** A survey is made in the turn that sees the last key, of what it has seen itself. @param share by how much all keys are more. */
function surveyOf(surveyed: readonly FlushedClass[], share: number): ClassSurvey | undefined {
  if (surveyed.length === 0) return undefined;
  const merged = mergeSurveys(surveyed.flatMap(({ survey }) => survey ?? []));
  return { ...merged, bytes: Math.round(merged.bytes * Math.max(1, share)) };
}

function restartsBetween(turns: readonly FlushReport[]): number {
  return turns.filter((turn, index) => {
    const before = turns[index - 1];
    const known = new Set(before?.positions.map(({ runId }) => runId));
    return before && turn.positions.some(({ runId }) => !known.has(runId));
  }).length;
}

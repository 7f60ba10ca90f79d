import { type ClassSurvey, mergeSurveys } from './class-survey.ts';
import type { Server } from './pass/servers.ts';
import type { Fate, FlushPlan } from './plan/plan.ts';

/** What one pass has counted. */
export interface Tally {
  /** How many keys the server had when the pass began. */
  readonly keys: number;
  /** By class. */
  readonly counts: number[];
  /** By class, when the pass measures. */
  surveys?: readonly (ClassSurvey | undefined)[];
}

/** The figures of one pattern. */
export interface FlushedClass {
  /** Undefined for the keys that no pattern matches. */
  readonly pattern: string | undefined;
  readonly fate: Fate;
  readonly keys: number;
  /** In a dry run, of a class whose keys its user may touch. */
  readonly survey?: ClassSurvey;
}

/** Counts by server: a pass that is begun again counts again. */
export function createTallies({ classes }: Pick<FlushPlan, 'classes'>) {
  const tallies = new Map<string, Tally>();
  const keysOf = (index: number) => {
    let sum = 0;
    for (const { counts } of tallies.values()) sum += counts[index] ?? 0;
    return sum;
  };
  return {
    begin({ runId, keys }: Pick<Server, 'runId' | 'keys'>): Tally {
      const tally: Tally = { keys, counts: classes.map(() => 0) };
      tallies.set(runId, tally);
      return tally;
    },
    discard: ({ runId }: Pick<Server, 'runId'>): void => void tallies.delete(runId),
    /** How many keys there were when the passes began. */
    keys: () => [...tallies.values()].reduce((sum, { keys }) => sum + keys, 0),
    /** All keys that were seen, or those of one fate. */
    total(wanted?: Fate): number {
      return classes.reduce(
        (sum, { fate }, index) => (wanted && fate !== wanted ? sum : sum + keysOf(index)),
        0,
      );
    },
    byClass(): FlushedClass[] {
      return classes.map(({ pattern, fate }, index) => {
        const surveys = [...tallies.values()].flatMap((tally) => tally.surveys?.[index] ?? []);
        return {
          pattern,
          fate,
          keys: keysOf(index),
          ...(surveys.length > 0 && { survey: mergeSurveys(surveys) }),
        };
      });
    },
  };
}

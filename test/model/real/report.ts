import type { RunDetails } from 'fast-check';
import type { Drawn } from './run.ts';

/** The variables that replay one schedule of test/model/schedules.test.ts. */
export const SEED = 'CUTOVER_MODEL_SEED';
export const PATH = 'CUTOVER_MODEL_PATH';

/** What failed and how to see it again, turn by turn; undefined where nothing did. */
export function failureOf(details: RunDetails<Drawn>): string | undefined {
  if (!details.failed) return undefined;
  const { seed, counterexample, counterexamplePath } = details;
  const [scheduler, phases, rounds] = counterexample ?? [];
  const error = 'errorInstance' in details ? details.errorInstance : undefined;
  return [
    error instanceof Error ? (error.stack ?? error.message) : String(error),
    `replay: ${SEED}=${seed} ${PATH}=${counterexamplePath} npx jest --runTestsByPath test/model/schedules.test.ts`,
    `phases: ${phases?.join(', ')}`,
    ...(rounds ?? []).map((round) => `round: ${JSON.stringify(round)}`),
    ...(scheduler?.report() ?? []).map(({ label, status }) => `  ${legible(label)} (${status})`),
  ].join('\n');
}

/** Leases and tagged entries begin with a control character, for which grep takes a log for a binary file. */
const legible = (label: string) => label.replace(/\p{Cc}/gu, '\u00b7');

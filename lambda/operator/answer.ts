import type { Environment } from '../contract/switches.ts';
import type { CoverageReport } from '../coverage/report.ts';
import { type DoctorReport, examine } from '../doctor/doctor.ts';
import { type Explanation, explain } from '../explain/explain.ts';
import { turnSeconds } from '../flush/turn.ts';
import { type PhaseReport, reportPhases } from '../phases/phases.ts';
import { coverageHere } from './coverage.ts';
import type { QuestionEvent } from './event.ts';

/** What was found out, by the question. */
export type Answer =
  | ({ readonly command: 'doctor' } & DoctorReport)
  | ({ readonly command: 'explain' } & Explanation)
  | ({ readonly command: 'phase' } & PhaseReport)
  | ({ readonly command: 'coverage' } & CoverageReport);

export interface AnswerOptions {
  readonly event: QuestionEvent;
  /** How long the function has left, in milliseconds. */
  readonly remainingMs: () => number;
}

/**
 * Answers a question about the servers that the environment names; changes nothing.
 * @throws ConfigurationError for the environment, and InvalidKeyError for a key, but not where the doctor is asked; RedisUnavailableError.
 */
export async function answer(
  environment: Environment,
  { event, remainingMs }: AnswerOptions,
): Promise<Answer> {
  const { command } = event;
  if (command === 'doctor') return { command, ...(await examine(environment)) };
  if (command === 'explain') return { command, ...(await explain(environment, event)) };
  if (command === 'coverage') return { command, ...(await coverageHere(environment, event.sinceSeconds)) };
  const limitSeconds = turnSeconds({}, remainingMs);
  return { command, ...(await reportPhases(environment, { limitSeconds })) };
}

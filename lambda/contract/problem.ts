import { CutoverError } from './errors.ts';

/** The body of an error answer, as RFC 9457 has it. */
export interface ProblemDocument {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  readonly detail: string;
}

export const PROBLEM_TYPE = 'application/problem+json';

const TITLES = {
  400: 'Bad Request',
  404: 'Not Found',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
} as const;

export type ProblemStatus = keyof typeof TITLES;

/** A request that cannot be served; the detail names the field, its value and what is expected. */
export class ProblemError extends CutoverError {
  override readonly name = 'ProblemError';
  readonly code = 'CUTOVER_PROBLEM';
  readonly status: ProblemStatus;

  constructor(status: ProblemStatus, detail: string) {
    super(detail);
    this.status = status;
  }
}

/** The document of an error: of a problem as it is, of anything else without its message. */
export function problemOf(error: unknown): ProblemDocument {
  const { status, message } =
    error instanceof ProblemError
      ? error
      : { status: 500 as const, message: 'unexpected error; the log has its cause' };
  return { type: 'about:blank', title: TITLES[status], status, detail: message };
}

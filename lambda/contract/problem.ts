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
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
} as const;

export type ProblemStatus = keyof typeof TITLES;

/** A request that cannot be served; the detail names the field, its value and what is expected. */
export class ProblemError extends CutoverError {
  override readonly name = 'ProblemError';
  readonly code = 'CUTOVER_PROBLEM';
  readonly status: ProblemStatus;
  /** When to ask again. */
  readonly retryAfterSeconds: number | undefined;

  constructor(status: ProblemStatus, detail: string, { retryAfterSeconds }: ProblemOptions = {}) {
    super(detail);
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds ?? (status === 503 ? UNAVAILABLE_SECONDS : undefined);
  }
}

export interface ProblemOptions {
  /** When to ask again. Default: in 5 s for 503, else not said. */
  readonly retryAfterSeconds?: number;
}

const UNAVAILABLE_SECONDS = 5;

/** The document of an error: of a problem as it is, of anything else without its message. */
export function problemOf(error: unknown): ProblemDocument {
  const { status, message } =
    error instanceof ProblemError
      ? error
      : { status: 500 as const, message: 'unexpected error; the log has its cause' };
  return { type: 'about:blank', title: TITLES[status], status, detail: message };
}

/** The document's content type, and what a client is told beside it (RFC 9110, sections 11.6.1 and 10.2.3). */
export function problemHeaders(error: unknown): Readonly<Record<string, string>> {
  const { status, retryAfterSeconds } = error instanceof ProblemError ? error : {};
  return {
    'content-type': PROBLEM_TYPE,
    ...(status === 401 && { 'www-authenticate': 'Bearer' }),
    ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
  };
}

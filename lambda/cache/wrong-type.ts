import { CutoverError } from '../contract/errors.ts';

/** A key held something that is not a string. */
export class WrongTypeError extends CutoverError {
  override readonly name = 'WrongTypeError';
  readonly code = 'CUTOVER_WRONG_TYPE';
}

/** Redis's own words for it. */
export const isWrongType = (error: unknown): error is Error =>
  error instanceof Error && error.message.startsWith('WRONGTYPE');

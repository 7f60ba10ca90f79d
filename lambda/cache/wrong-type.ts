import { CutoverError } from '../contract/errors.ts';
import { replyCodeOf } from './reply-code.ts';

/** A key held something that is not a string. */
export class WrongTypeError extends CutoverError {
  override readonly name = 'WrongTypeError';
  readonly code = 'CUTOVER_WRONG_TYPE';
}

/** Redis's own words for it. */
export const isWrongType = (error: unknown): error is Error => replyCodeOf(error) === 'WRONGTYPE';

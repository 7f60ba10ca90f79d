import { CutoverError } from '../contract/errors.ts';

/** Why a version gets no traffic, or loses it. */
export class HookError extends CutoverError {
  override readonly name = 'HookError';
  readonly code = 'CUTOVER_HOOK';
}

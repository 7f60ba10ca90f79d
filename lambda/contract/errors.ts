/**
 * What every error of Cutover is: a literal `name`, a stable `code` to branch on, and the real `cause`.
 * The message begins with its origin and ends with the remedy.
 */
export abstract class CutoverError extends Error {
  abstract override readonly name: string;
  abstract readonly code: string;
}

/** A configuration that cannot be served: names the variable, its value and the remedy. */
export class ConfigurationError extends CutoverError {
  override readonly name = 'ConfigurationError';
  readonly code = 'CUTOVER_CONFIGURATION';
}

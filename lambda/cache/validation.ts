import type { StandardSchemaV1 } from '@standard-schema/spec';
import { CutoverError } from '../contract/errors.ts';

/** A schema of Zod, Valibot, ArkType or whoever else keeps to https://standardschema.dev. */
export type Schema<T> = StandardSchemaV1<unknown, T>;

/** A stored value that is not what this version of the code stores. */
export class UnexpectedValueError extends CutoverError {
  override readonly name = 'UnexpectedValueError';
  readonly code = 'CUTOVER_UNEXPECTED_VALUE';
}

/**
 * The value as the schema gives it.
 * @throws UnexpectedValueError saying where the value differs, but not the value. TypeError for a schema that answers
 * with a promise.
 */
export function validated<T>(value: unknown, schema: Schema<T>): T {
  const result = schema['~standard'].validate(value);
  if (result instanceof Promise) {
    throw new TypeError(
      'cache: validate is asynchronous; a hit cannot wait for it, use a synchronous schema',
    );
  }
  if (!result.issues) return result.value;
  const fields = result.issues.map(({ path = [] }) =>
    path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.'),
  );
  throw new UnexpectedValueError(
    `cache: a stored value has another shape, at ${fields.map((field) => field || 'its top').join(', ')}; it is loaded again`,
  );
}

import { CutoverError } from '../contract/errors.ts';

/** How values become the bytes that Redis stores. No encoding may begin with one of the first 32 characters. */
export interface Codec {
  /** @throws UnencodableValueError for a value that the encoding cannot hold. */
  encode(value: unknown): string;
  /** @throws for bytes that are no encoding of a value. */
  decode(bytes: string): unknown;
}

/** A value that would be another one when it is read again. */
export class UnencodableValueError extends CutoverError {
  override readonly name = 'UnencodableValueError';
  readonly code = 'CUTOVER_UNENCODABLE_VALUE';
}

/** Plain JSON: what the legacy backend writes too, so that either reads what the other filled. */
export const jsonCodec: Codec = {
  encode(value) {
    requireJson(value, 'the value', []);
    return JSON.stringify(value);
  },
  decode: (bytes) => JSON.parse(bytes),
};

/** What JSON.stringify would drop, change without a word, or complain of without naming the field. */
function requireJson(value: unknown, path: string, above: readonly object[]): void {
  const refuse = (what: string): never => {
    throw new UnencodableValueError(
      `cache: ${path} is ${what}, which JSON cannot hold; load it as something else`,
    );
  };
  if (typeof value === 'number' && !Number.isFinite(value)) refuse(String(value));
  if (typeof value === 'bigint' || typeof value === 'function' || typeof value === 'symbol')
    refuse(`a ${typeof value}`);
  if (value === undefined) refuse('undefined');
  if (value === null || typeof value !== 'object') return;
  if (above.includes(value)) refuse('part of itself');
  if ('toJSON' in value && typeof value.toJSON === 'function') return;
  // `[object Map]`, `[object Error]`, `[object Uint8Array]`: JSON makes `{}` of most of these.
  const kind = Object.prototype.toString.call(value).slice('[object '.length, -1);
  if (kind !== 'Object' && kind !== 'Array') refuse(`a ${kind}`);
  const inside = [...above, value];
  for (const [name, child] of Object.entries(value)) {
    // JSON leaves out a field that is undefined, and who reads it finds it undefined, too.
    if (child !== undefined || Array.isArray(value)) requireJson(child, `${path}.${name}`, inside);
  }
}

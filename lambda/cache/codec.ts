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
    const flaw = flawOf(value, []);
    if (!flaw) return JSON.stringify(value);
    throw new UnencodableValueError(
      `cache: the value${flaw.path} is ${flaw.what}, which JSON cannot hold; load it as something else`,
    );
  },
  decode: (bytes) => JSON.parse(bytes),
};

/** What JSON.stringify would drop, change without a word, or complain of without naming the field. */
interface Flaw {
  readonly what: string;
  readonly path: string;
}

/** The first flaw of a value that stands inside of these. The path is put together only where there is one. */
function flawOf(value: unknown, above: object[]): Flaw | undefined {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return undefined;
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : { what: `${value}`, path: '' };
  if (value === undefined) return { what: 'undefined', path: '' };
  if (typeof value !== 'object') return { what: `a ${typeof value}`, path: '' };
  if (above.includes(value)) return { what: 'part of itself', path: '' };
  above.push(value);
  const flaw = Array.isArray(value) ? flawInList(value, above) : flawInObject(value, above);
  above.pop();
  return flaw;
}

function flawInList(list: readonly unknown[], above: object[]): Flaw | undefined {
  for (let index = 0; index < list.length; index += 1) {
    const flaw = flawOf(list[index], above);
    if (flaw) return within(index, flaw);
  }
  return undefined;
}

function flawInObject(object: object, above: object[]): Flaw | undefined {
  if ('toJSON' in object && typeof object.toJSON === 'function') return undefined;
  if (Object.getPrototypeOf(object) !== Object.prototype) {
    // `[object Map]`, `[object Error]`, `[object Uint8Array]`: JSON makes `{}` of most of these.
    const kind = Object.prototype.toString.call(object).slice('[object '.length, -1);
    if (kind !== 'Object') return { what: `a ${kind}`, path: '' };
  }
  for (const name in object) {
    const child = (object as Record<string, unknown>)[name];
    // JSON leaves out a field that is undefined, and who reads it finds it undefined, too.
    const flaw = child === undefined ? undefined : flawOf(child, above);
    if (flaw && Object.hasOwn(object, name)) return within(name, flaw);
  }
  return undefined;
}

const within = (name: string | number, { what, path }: Flaw): Flaw => ({ what, path: `.${name}${path}` });

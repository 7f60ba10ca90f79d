import { type Codec, UnencodableValueError } from './codec.ts';
import type { Epochs } from './epochs.ts';
import { isLease, type LeaseToken } from './lease.ts';
import { type Schema, validated } from './validation.ts';

/** What no value begins with: a tagged entry, the epochs that it was loaded under before the value. */
const SEAL = '\u0001';
const END = '\n';

/** Whether an entry is the plain bytes of a value: no lease, and not sealed. */
export const isPlain = (stored: string): boolean => stored.charCodeAt(0) > SEAL.charCodeAt(0);

/**
 * A value and the epochs that it was loaded under, as one entry; the plain bytes where there are no tags.
 * @throws UnencodableValueError for bytes that would not be taken for a value.
 */
export function seal(bytes: string, epochs: Epochs | undefined): string {
  if (!isPlain(bytes)) {
    throw new UnencodableValueError(
      'cache: the codec gave no bytes, or such as begin with a control character',
    );
  }
  return epochs ? `${SEAL}${JSON.stringify(Object.fromEntries(epochs))}${END}${bytes}` : bytes;
}

export interface EntryReader<T> {
  readonly codec: Codec;
  readonly validate?: Schema<T> | undefined;
  /** The epochs of the reader's tags, read since its read began; undefined for a read without tags. */
  readonly epochs?: Epochs | undefined;
}

/** What stands under a key, for one reader. */
export type Entry<T> =
  | { readonly kind: 'value'; readonly value: T }
  | { readonly kind: 'lease'; readonly lease: LeaseToken }
  /** Loaded under other epochs, or with other tags. */
  | { readonly kind: 'outdated' };

/** @throws what the codec throws of undecodable bytes; UnexpectedValueError for a value of another shape. */
export function readEntry<T>(stored: string, { codec, validate, epochs }: EntryReader<T>): Entry<T> {
  if (isLease(stored)) return { kind: 'lease', lease: stored };
  let bytes = stored;
  const sealed = unseal(stored);
  if (sealed) {
    if (!epochs || !isOf(epochs, sealed.epochs)) return { kind: 'outdated' };
    bytes = sealed.bytes;
  } else if (epochs) return { kind: 'outdated' };
  const value = codec.decode(bytes);
  return { kind: 'value', value: validate ? validated(value, validate) : (value as T) };
}

/** The epochs, by tag, that a tagged entry was loaded under, and the bytes of its value; undefined for any other. @throws SyntaxError for a broken one. */
export function unseal(
  stored: string,
): { readonly epochs: Readonly<Record<string, string>>; readonly bytes: string } | undefined {
  if (!stored.startsWith(SEAL)) return undefined;
  const end = stored.indexOf(END);
  return { epochs: JSON.parse(stored.slice(SEAL.length, end)), bytes: stored.slice(end + END.length) };
}

/** Equality decides; an epoch that is not there is equal to none. */
function isOf(epochs: Epochs, sealed: Readonly<Record<string, string>>): boolean {
  if (Object.keys(sealed).length !== epochs.size) return false;
  for (const [tag, epoch] of epochs) if (epoch === null || sealed[tag] !== epoch) return false;
  return true;
}

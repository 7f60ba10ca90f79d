import { randomUUID } from 'node:crypto';

/** No value begins with this byte: JSON has no control characters outside strings. */
const RESERVED = '\u0000';

declare const brand: unique symbol;
/** The token that the one filler must still hold when it stores. */
export type LeaseToken = string & { readonly [brand]: 'lease' };

const processId = randomUUID();
let drawn = 0;

/**
 * A token that was never used before. It is sent once: taking it back after a lost reply was stale in the
 * model, because the command may still be executed later, after an invalidation.
 */
export function drawToken(): LeaseToken {
  drawn += 1;
  return `${RESERVED}lease:${processId}:${drawn}` as LeaseToken;
}

/** Tells a lease from a value. */
export function isLease(stored: string): stored is LeaseToken {
  return stored.startsWith(RESERVED);
}

import { MEMORY_USAGE, numberIn, PTTL } from '../measuring.ts';
import type { Page } from '../pass/page.ts';
import type { FollowUp } from '../pass/walk.ts';

/** What Redis says of a key. */
export interface Measured {
  /** As MEMORY USAGE says: of a large collection an estimate by five of its elements. */
  readonly bytes: number;
  /** -1 is for ever. */
  readonly ttlMs: number;
  /** A copy of the key's first bytes, at most so many. */
  readonly key: (maxBytes: number) => Buffer;
}

const GONE = -2;

/**
 * MEMORY USAGE and PTTL of each key of a page.
 * @param onKey is told the number of the key in the page, and undefined for one that is gone meanwhile.
 */
export function measure(
  page: Page,
  onKey: (index: number, measured: Measured | undefined) => void,
): FollowUp | undefined {
  const { count } = page;
  if (count === 0) return undefined;
  const payload = Buffer.allocUnsafe(2 * page.byteLength + count * (MEMORY_USAGE.length + PTTL.length));
  const starts = new Uint32Array(count);
  const ends = new Uint32Array(count);
  let length = 0;
  let filled = 0;
  page.forEachKey((start, end, at, next) => {
    length += MEMORY_USAGE.copy(payload, length);
    starts[filled] = length + start - at;
    ends[filled] = length + end - at;
    filled += 1;
    // A bulk string is the same in a reply and in a command.
    length += page.bytes.copy(payload, length, at, next);
    length += PTTL.copy(payload, length);
    length += page.bytes.copy(payload, length, at, next);
  });

  let replies = 0;
  /** Undefined for a key that has none, since it is gone. */
  let bytes: number | undefined;
  return {
    payload: payload.subarray(0, length),
    replies: 2 * count,
    read(reply) {
      const value = numberIn(reply);
      replies += 1;
      if (replies % 2 === 1) {
        bytes = value;
        return;
      }
      const index = replies / 2 - 1;
      const ttlMs = value ?? GONE;
      if (bytes === undefined || ttlMs === GONE) onKey(index, undefined);
      else {
        const start = starts[index] ?? 0;
        const key = (maxBytes: number) =>
          Buffer.from(payload.subarray(start, Math.min(ends[index] ?? 0, start + maxBytes)));
        onKey(index, { bytes, ttlMs, key });
      }
    },
  };
}

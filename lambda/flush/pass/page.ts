import { type BulkString, findBulk, integerAt, type RawReply } from '../../redis/raw/reply-stream.ts';

/** A reply to SCAN, where it lies. */
export interface Page {
  /** Where to go on; '0' says that this was the last page. */
  readonly cursor: string;
  readonly bytes: Buffer;
  readonly byteLength: number;
  /** How many keys there are. */
  readonly count: number;
  /** Calls `look` with the place of each key in `bytes`; its bulk string goes from `at` to before `next`. */
  forEachKey(look: (start: number, end: number, at: number, next: number) => void): void;
}

const DOLLAR = 0x24;
const LINE_FEED = 0x0a;

/** Reads `[cursor, [key, ...]]`. */
export function pageOf({ bytes, start, end }: RawReply): Page {
  const found: BulkString = { start: 0, end: 0 };
  const list = findBulk(bytes, bytes.indexOf(DOLLAR, start), found);
  const cursor = bytes.toString('latin1', found.start, found.end);
  const count = integerAt(bytes, list + 1);
  return {
    ...{ cursor, bytes, count },
    byteLength: end - start,
    forEachKey(look) {
      let at = bytes.indexOf(LINE_FEED, list) + 1;
      for (let index = 0; index < count; index += 1) {
        const next = findBulk(bytes, at, found);
        look(found.start, found.end, at, next);
        at = next;
      }
    },
  };
}

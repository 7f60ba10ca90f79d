import { requireNoError } from '../../redis/raw/raw-connection.ts';
import { integerAt } from '../../redis/raw/reply-stream.ts';
import type { Page } from './page.ts';
import type { FollowUp } from './walk.ts';

/** The keys of one page that are deleted. */
export interface Batch {
  /** Adds the key whose bulk string, as the page has it, goes from `at` to `next`. */
  add(at: number, next: number): void;
  /** The commands; none without a key. */
  end(): FollowUp | undefined;
}

export interface UnlinkerOptions {
  /** Whether a command may name keys of one slot only. */
  readonly clustered: boolean;
  /** Told how many of the keys were still there. */
  readonly onDeleted: (count: number) => void;
}

/** In front of one key; the head of one that names many is written when they are known, and is no longer than the room. */
const UNLINK_ONE = Buffer.from('*2\r\n$6\r\nUNLINK\r\n');
const headOf = (keys: number) => `*${keys + 1}\r\n$6\r\nUNLINK\r\n`;
const HEAD_ROOM = 32;

/**
 * Writes UNLINK commands by copying keys from the pages of a SCAN as they lie there: a bulk string is the same in a reply and in a
 * command.
 */
export function createUnlinker({ clustered, onDeleted }: UnlinkerOptions) {
  const read: FollowUp['read'] = (reply) => {
    requireNoError(reply);
    onDeleted(integerAt(reply.bytes, reply.start + 1));
  };
  return {
    batchOf(page: Page): Batch {
      const out = Buffer.allocUnsafe(
        HEAD_ROOM + page.byteLength + (clustered ? page.count * UNLINK_ONE.length : 0),
      );
      let length = HEAD_ROOM;
      let keys = 0;
      return {
        add(at, next) {
          if (clustered) length += UNLINK_ONE.copy(out, length);
          length += page.bytes.copy(out, length, at, next);
          keys += 1;
        },
        end() {
          if (keys === 0) return undefined;
          if (clustered) return { payload: out.subarray(HEAD_ROOM, length), replies: keys, read };
          const head = headOf(keys);
          const start = HEAD_ROOM - head.length;
          out.write(head, start, 'latin1');
          return { payload: out.subarray(start, length), replies: 1, read };
        },
      };
    },
  };
}

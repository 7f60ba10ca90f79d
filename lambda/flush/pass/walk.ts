import { type RawConnection, requireNoError } from '../../redis/raw/raw-connection.ts';
import type { RawReply } from '../../redis/raw/reply-stream.ts';
import type { Pace } from './pace.ts';
import { type Page, pageOf } from './page.ts';

/** Commands that follow a page, and what takes their replies. */
export interface FollowUp {
  readonly payload: Buffer;
  readonly replies: number;
  readonly read: (reply: RawReply) => void;
}

export interface WalkOptions {
  readonly connection: RawConnection;
  readonly pace: Pace;
  /** Where to begin; '0' is the beginning. */
  readonly cursor: string;
  /** Looks at a page while it lies there: it is another one's bytes afterwards. */
  readonly visit: (page: Page) => FollowUp | undefined;
  /** Asked before each further page. */
  readonly stopped: () => boolean;
}

/**
 * Walks once over the keys of one server, page by page, and sends what follows from each. Unpaced, the next page is asked for
 * before this one is looked at, so that the server never waits.
 * @returns '0' at the end, or where it was stopped.
 * @throws what the connection throws; ErrorReply for an error of Redis's.
 */
export async function walk({ connection, pace, cursor, visit, stopped }: WalkOptions): Promise<string> {
  const following = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  /** How long Redis took to answer this page's commands. */
  let longestMs = 0;
  const timed = (beganAt: number) => {
    longestMs = Math.max(longestMs, performance.now() - beganAt);
  };

  const follow = ({ payload, replies, read }: FollowUp) => {
    const beganAt = performance.now();
    const sent = connection
      .exchange(payload, replies, read)
      .then(() => timed(beganAt))
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .then(() => void following.delete(sent));
    following.add(sent);
  };

  interface Step {
    readonly cursor: string;
    readonly ahead: Promise<Step> | undefined;
  }
  const scan = async (from: string): Promise<Step> => {
    let step: Step | undefined;
    const beganAt = performance.now();
    await connection.exchange(scanCommand(from, pace.pageKeys), 1, (reply) => {
      timed(beganAt);
      requireNoError(reply);
      const page = pageOf(reply);
      const ahead =
        pace.ahead && page.cursor !== '0' && !failure && !stopped() ? scan(page.cursor) : undefined;
      // Who waits for it sees its error; until then it is nobody's.
      ahead?.catch(() => {});
      step = { cursor: page.cursor, ahead };
      const next = visit(page);
      if (next) follow(next);
    });
    return step as Step;
  };

  let step = await scan(cursor);
  for (;;) {
    if (!step.ahead) await Promise.all(following);
    if (failure) throw failure.error;
    if (step.ahead) step = await step.ahead;
    else if (step.cursor === '0' || stopped()) return step.cursor;
    else {
      await pace.turn(longestMs);
      longestMs = 0;
      step = await scan(step.cursor);
    }
  }
}

const scanCommand = (cursor: string, count: number): string => {
  const digits = String(count);
  return `*4\r\n$4\r\nSCAN\r\n$${cursor.length}\r\n${cursor}\r\n$5\r\nCOUNT\r\n$${digits.length}\r\n${digits}\r\n`;
};

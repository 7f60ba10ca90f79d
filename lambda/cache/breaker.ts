import { CutoverError } from '../contract/errors.ts';
import type { Send } from './redis-store.ts';
import { replyCodeOf } from './reply-code.ts';

/** After so many failures in a row Redis is not asked for a second; then one command tries. */
const FAILURES_TO_OPEN = 5;
const ASK_AGAIN_AFTER_MS = 1000;

/** Whether reads ask Redis. */
export type BreakerState = 'closed' | 'open';

export interface BreakerOptions {
  readonly onChange?: (state: BreakerState) => void;
}

/** Redis was not asked, because it has not answered for a while. */
export class CircuitOpenError extends CutoverError {
  override readonly name = 'CircuitOpenError';
  readonly code = 'CUTOVER_CIRCUIT_OPEN';
}

/**
 * Spares each read the wait for a Redis that is away: rejects at once while it is. Only for reads and fills, since an
 * invalidation is tried whatever the breaker thinks. What Redis itself answers (a wrong type, a missing right) is no
 * failure of Redis. Our own, because a library's wraps each command in promises of its own; this one looks on.
 * @example
 * ```ts
 * import { withBreaker } from 'cutover/cache';
 *
 * const states: string[] = [];
 * const away = () => Promise.reject(new Error('away')); // a Redis that does not answer
 * const send = withBreaker(away, { onChange: (state) => states.push(state) });
 * for (let failures = 0; failures < 5; failures += 1) await send(['PING']).catch(() => {});
 * states; // => ['open']
 * ```
 */
export function withBreaker(send: Send, { onChange = () => {} }: BreakerOptions = {}): Send {
  let failuresInARow = 0;
  /** While the breaker is open, when the next command may try. */
  let tryAt: number | undefined;

  const answered = () => {
    failuresInARow = 0;
    if (tryAt === undefined) return;
    tryAt = undefined;
    onChange('closed');
  };
  const failed = (error: Error) => {
    if (isAnswer(error)) return answered();
    failuresInARow += 1;
    if (failuresInARow < FAILURES_TO_OPEN) return;
    const wasClosed = tryAt === undefined;
    tryAt = performance.now() + ASK_AGAIN_AFTER_MS;
    if (wasClosed) onChange('open');
  };

  return (command) => {
    if (tryAt !== undefined) {
      const now = performance.now();
      if (now < tryAt) {
        return Promise.reject(
          new CircuitOpenError('cache: Redis has not answered for a while; it is asked again soon'),
        );
      }
      // This command tries; the others are refused meanwhile.
      tryAt = now + ASK_AGAIN_AFTER_MS;
    }
    const reply = send(command);
    reply.then(answered, failed);
    return reply;
  };
}

/** Whether an error says no more than that the breaker is open. */
export const isBroken = (error: unknown): boolean => error instanceof CircuitOpenError;

/** Answers of a server that is of no use now. */
const USELESS = new Set(['LOADING', 'READONLY', 'MASTERDOWN', 'CLUSTERDOWN', 'BUSY']);

/** Whether an error is what Redis says of a command. */
export function isAnswer(error: unknown): boolean {
  const code = replyCodeOf(error);
  return code !== undefined && !USELESS.has(code);
}

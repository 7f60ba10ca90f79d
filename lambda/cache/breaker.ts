import { BrokenCircuitError, CircuitState, ConsecutiveBreaker, circuitBreaker, handleWhen } from 'cockatiel';
import type { Send } from './redis-store.ts';

/** After so many failures in a row Redis is not asked for a second; then one command tries. */
const FAILURES_TO_OPEN = 5;
const ASK_AGAIN_AFTER_MS = 1000;

/** Whether reads ask Redis. */
export type BreakerState = 'closed' | 'open';

export interface BreakerOptions {
  readonly onChange?: (state: BreakerState) => void;
}

/**
 * Spares each read the wait for a Redis that is away: rejects at once while it is. Only for reads and fills, since an
 * invalidation is tried whatever the breaker thinks. What Redis itself answers (a wrong type, a missing right) is no
 * failure of Redis.
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
export function withBreaker(send: Send, { onChange }: BreakerOptions = {}): Send {
  const policy = circuitBreaker(
    handleWhen((error) => !isAnswer(error)),
    { halfOpenAfter: ASK_AGAIN_AFTER_MS, breaker: new ConsecutiveBreaker(FAILURES_TO_OPEN) },
  );
  let told: BreakerState = 'closed';
  policy.onStateChange((state) => {
    // Half-open, one command tries and the others wait for it; if it fails, nothing has changed.
    const now = state === CircuitState.Closed ? 'closed' : 'open';
    if (state === CircuitState.HalfOpen || now === told) return;
    told = now;
    onChange?.(now);
  });
  return (command) => policy.execute(() => send(command));
}

/** Whether an error says no more than that the breaker is open. */
export const isBroken = (error: unknown): boolean => error instanceof BrokenCircuitError;

/** Redis's own errors begin with a code in capitals; some of them say that this server is of no use now. */
function isAnswer({ message }: Error): boolean {
  return /^[A-Z]+ /.test(message) && !/^(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|BUSY) /.test(message);
}

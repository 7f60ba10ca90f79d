import type { Places } from '../cache/keyspace.ts';
import { type MultiOptions, mirrorMulti, type Transaction } from './multi.ts';

/** A command as the legacy backend calls it. */
export interface Call {
  /** The client, or one derived from it, that the command was called on. */
  readonly target: object;
  readonly method: string;
  readonly args: readonly unknown[];
  readonly original: () => Promise<unknown>;
}

/**
 * Runs a command that the mirror does not know, for its answer and its effect elsewhere, in a mirrored transaction of
 * its own. That removes the cached keys which the command touches in the same EXEC: what it stored may be older than
 * what an invalidation has just removed.
 */
export async function runUnknownWrite(
  { target, method, args, original }: Call,
  { mapped, ...wiring }: MultiOptions & { mapped: readonly Places[] },
): Promise<unknown> {
  const transaction = (target as { multi(): Transaction }).multi();
  const queue = method === 'sendCommand' ? 'addCommand' : method;
  if (typeof Reflect.get(transaction, queue) !== 'function') {
    return original().finally(() => wiring.protocol.invalidate(mapped));
  }
  const mirrored = mirrorMulti(transaction, wiring);
  Reflect.get(mirrored, queue)(...args);
  try {
    const [reply] = await mirrored.exec();
    return reply;
  } catch (error) {
    throw ownError(error);
  }
}

/** The command's own error in that of a transaction. */
function ownError(error: unknown): unknown {
  const replies = error instanceof Error && 'replies' in error ? error.replies : undefined;
  return (Array.isArray(replies) && replies.find((reply) => reply instanceof Error)) || error;
}

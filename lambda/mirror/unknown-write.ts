import type { Places } from '../cache/keyspace.ts';
import type { Transaction } from './multi.ts';
import type { MirrorProtocol } from './protocol.ts';

/** A command as the legacy backend calls it. */
export interface Call {
  /** The client, or one derived from it, that the command was called on. */
  readonly target: object;
  readonly method: string;
  readonly args: readonly unknown[];
  readonly original: () => Promise<unknown>;
}

/**
 * Runs a command that the mirror does not know, for its answer and its effect elsewhere. The cached keys it touches are
 * removed in the same transaction: what it stored may be older than what an invalidation has just removed.
 */
export async function runUnknownWrite(
  call: Call,
  { mapped, protocol }: { mapped: readonly Places[]; protocol: MirrorProtocol },
) {
  const { method, args } = call;
  const transaction = (call.target as { multi(): Transaction }).multi();
  const queue: unknown = Reflect.get(transaction, method === 'sendCommand' ? 'addCommand' : method);
  try {
    if (typeof queue !== 'function') return await call.original();
    queue.apply(transaction, args);
    for (const { fence, legacy } of mapped) {
      transaction.addCommand(['UNLINK', fence]);
      transaction.addCommand(['UNLINK', legacy]);
    }
    const [reply] = await transaction.exec();
    return reply;
  } catch (error) {
    throw ownError(error);
  } finally {
    await protocol.invalidate(mapped);
  }
}

/** The command's own error in that of a transaction. */
function ownError(error: unknown): unknown {
  const replies = error instanceof Error && 'replies' in error ? error.replies : undefined;
  return (Array.isArray(replies) && replies.find((reply) => reply instanceof Error)) || error;
}

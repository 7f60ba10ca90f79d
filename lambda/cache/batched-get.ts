import type { Send } from './redis-store.ts';
import { isWrongType } from './wrong-type.ts';

interface Batch {
  readonly keys: string[];
  readonly replies: Promise<readonly unknown[]>;
}

/**
 * Gathers the reads of one tick into one MGET; a read that is alone stays a GET. A batch is closed before it is sent: no
 * read joins a command that left before the read began, whose answer could be older than it may be.
 */
export function batchedGet(send: Send): (key: string) => Promise<string | null> {
  let open: Batch | undefined;

  const begin = (): Batch => {
    const keys: string[] = [];
    const replies = new Promise<readonly unknown[]>((resolve, reject) => {
      // After all that is ready to run has run, and before anything else arrives.
      process.nextTick(() => {
        open = undefined;
        const [first = ''] = keys;
        const sent = keys.length === 1 ? getAlone(send, first) : send(['MGET', ...keys]);
        sent.then((all) => resolve(all as readonly unknown[]), reject);
      });
    });
    return { keys, replies };
  };

  return (key) => {
    open ??= begin();
    const index = open.keys.push(key) - 1;
    return open.replies.then((replies) => replies[index] as string | null);
  };
}

/** The same where keys live on several servers: each read is a command of its own. */
export const pipelinedGet =
  (send: Send) =>
  async (key: string): Promise<string | null> => {
    const [value] = await getAlone(send, key);
    return value as string | null;
  };

/** As MGET does: another type than a string is nothing to read. */
async function getAlone(send: Send, key: string): Promise<readonly unknown[]> {
  try {
    return [await send(['GET', key])];
  } catch (error) {
    if (isWrongType(error)) return [null];
    throw error;
  }
}

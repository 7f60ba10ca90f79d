import { isAnswer } from './breaker.ts';
import type { Send } from './redis-store.ts';
import { isWrongType } from './wrong-type.ts';

type Bytes = string | null;

interface Read {
  readonly key: string;
  readonly resolve: (bytes: Bytes) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The first values of a reply are worked on while the others still travel: 10 KB values, 500 in flight, are read half
 * as fast again as with one MGET for all. With 64 keys that is the same, and 200 B values lose some hundredths.
 */
const MAX_KEYS = 128;

/**
 * Gathers the reads of one tick into MGETs; a read that is alone stays a GET. A batch is closed before it is sent: no
 * read joins a command that left before the read began, whose answer could be older than it may be.
 */
export function batchedGet(send: Send): (key: string) => Promise<Bytes> {
  let gathered: Read[] = [];

  const flush = () => {
    const reads = gathered;
    gathered = [];
    for (let at = 0; at < reads.length; at += MAX_KEYS) sendBatch(send, reads.slice(at, at + MAX_KEYS));
  };

  return (key) =>
    new Promise((resolve, reject) => {
      // After all that is ready to run has run, and before anything else arrives.
      if (gathered.length === 0) process.nextTick(flush);
      gathered.push({ key, resolve, reject });
    });
}

/** The same where keys live on several servers: each read is a command of its own. */
export const pipelinedGet =
  (send: Send) =>
  (key: string): Promise<Bytes> =>
    new Promise((resolve, reject) => sendAlone(send, { key, resolve, reject }));

function sendBatch(send: Send, reads: readonly Read[]): void {
  const [first] = reads;
  if (first && reads.length === 1) {
    sendAlone(send, first);
    return;
  }
  send(['MGET', ...reads.map(({ key }) => key)]).then(
    (replies) => {
      const values = replies as readonly Bytes[];
      for (const [index, { resolve }] of reads.entries()) resolve(values[index] ?? null);
    },
    (error: unknown) => {
      // One key without the right refuses all of them; a lost reply says nothing of any, and is not waited for twice.
      const tells = isAnswer(error);
      for (const read of reads) tells ? sendAlone(send, read) : read.reject(error);
    },
  );
}

/** As MGET does: another type than a string is nothing to read. */
function sendAlone(send: Send, { key, resolve, reject }: Read): void {
  send(['GET', key]).then(
    (value) => resolve(value as Bytes),
    (error: unknown) => (isWrongType(error) ? resolve(null) : reject(error)),
  );
}

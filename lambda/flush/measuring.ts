import { requireNoError } from '../redis/raw/raw-connection.ts';
import { integerAt, type RawReply } from '../redis/raw/reply-stream.ts';

/** What measures a key, each followed by the key as a bulk string: neither changes when it was last used, as OBJECT or GET could. */
export const MEMORY_USAGE = Buffer.from('*3\r\n$6\r\nMEMORY\r\n$5\r\nUSAGE\r\n');
export const PTTL = Buffer.from('*2\r\n$4\r\nPTTL\r\n');

const COLON = 0x3a;

/** The number that is replied; undefined for the size of a key that is gone. @throws ErrorReply. */
export function numberIn(reply: RawReply): number | undefined {
  requireNoError(reply);
  return reply.bytes[reply.start] === COLON ? integerAt(reply.bytes, reply.start + 1) : undefined;
}

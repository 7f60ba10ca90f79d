/** A reply as it came, in the bytes from `start` to before `end`. They are another reply's after the next event of the socket. */
export interface RawReply {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

const FIRST_CAPACITY = 64 * 1024;
/** What a server may send before it is taken for something else than a Redis: a bulk string has 512 MB at the most. */
const MAX_LINE_BYTES = 64 * 1024;

const [CR, STAR, DOLLAR, MINUS, ZERO] = [0x0d, 0x2a, 0x24, 0x2d, 0x30];
const KNOWN_TYPES = new Set(Buffer.from('+-:$*'));

/**
 * Cuts what a server sends into replies of RESP 2 (redis.io/docs/latest/develop/reference/protocol-spec) without making
 * anything of them: a page of a SCAN is a thousand keys, and most of the time of a client that reads them goes into strings.
 * @returns takes the next bytes; it throws for what is not RESP.
 */
export function createReplyStream(onReply: (reply: RawReply) => void): (chunk: Buffer) => void {
  let bytes = Buffer.allocUnsafe(FIRST_CAPACITY);
  let length = 0;
  /** Where the reply begins that is being read, and how far it was looked through. */
  let start = 0;
  let at = 0;
  /** How many elements of it are still to come: an array is one that brings others. */
  let open = 1;

  const take = (chunk: Buffer) => {
    if (start > 0) {
      bytes.copyWithin(0, start, length);
      length -= start;
      at -= start;
      start = 0;
    }
    if (length + chunk.length > bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(bytes.length * 2, length + chunk.length));
      bytes.copy(larger, 0, 0, length);
      bytes = larger;
    }
    chunk.copy(bytes, length);
    length += chunk.length;
  };

  /** @returns whether an element was there whole. */
  const skipElement = (): boolean => {
    const line = endOfLine(bytes, at, length);
    if (line < 0) return false;
    const type = bytes[at] as number;
    if (!KNOWN_TYPES.has(type)) throw new Error(notRedis(bytes.subarray(at, line)));
    const count = type === DOLLAR || type === STAR ? integerAt(bytes, at + 1) : 0;
    const end = type === DOLLAR && count >= 0 ? line + 2 + count + 2 : line + 2;
    if (end > length) return false;
    at = end;
    open += type === STAR && count > 0 ? count - 1 : -1;
    return true;
  };

  return (chunk) => {
    take(chunk);
    while (at < length && skipElement()) {
      if (open > 0) continue;
      const reply = { bytes, start, end: at };
      start = at;
      open = 1;
      onReply(reply);
    }
  };
}

/** Where the line that begins at `from` has its CR; -1 while it is not there. */
function endOfLine(bytes: Buffer, from: number, length: number): number {
  for (let at = from; at + 1 < length; at += 1) if (bytes[at] === CR) return at;
  if (length - from > MAX_LINE_BYTES) throw new Error(notRedis(bytes.subarray(from, from + 20)));
  return -1;
}

const notRedis = (bytes: Buffer) =>
  `redis: the server answers ${JSON.stringify(bytes.toString('latin1', 0, 20))}, which is no reply of a Redis`;

/** The decimal number that begins at `at`. */
export function integerAt(bytes: Buffer, at: number): number {
  const negative = bytes[at] === MINUS;
  let value = 0;
  for (let index = negative ? at + 1 : at; bytes[index] !== CR; index += 1) {
    value = value * 10 + ((bytes[index] as number) - ZERO);
  }
  return negative ? -value : value;
}

/** Where a bulk string's bytes are, from `start` to before `end`. */
export interface BulkString {
  start: number;
  end: number;
}

/**
 * Finds the bulk string whose `$` is at `at`, and writes its place into `found`: one object for a page of a thousand.
 * @returns where what follows it begins.
 */
export function findBulk(bytes: Buffer, at: number, found: BulkString): number {
  let length = 0;
  let index = at + 1;
  for (let digit = bytes[index]; digit !== CR; digit = bytes[index]) {
    length = length * 10 + (digit as number) - ZERO;
    index += 1;
  }
  found.start = index + 2;
  found.end = found.start + length;
  return found.end + 2;
}

/** A reply as values: strings as buffers. @throws nothing: an error is a value, too. */
export function decode({ bytes, start }: RawReply): unknown {
  let at = start;
  const element = (): unknown => {
    const type = String.fromCharCode(bytes[at] as number);
    const lineEnd = bytes.indexOf(CR, at);
    const line = bytes.toString('utf8', at + 1, lineEnd);
    const from = lineEnd + 2;
    at = from;
    if (type === ':') return Number(line);
    if (type === '+') return line;
    if (type === '-') return new Error(line);
    const count = Number(line);
    if (count < 0) return null;
    if (type === '*') return Array.from({ length: count }, element);
    at = from + count + 2;
    return Buffer.from(bytes.subarray(from, from + count));
  };
  return element();
}

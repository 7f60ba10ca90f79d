/** A value or a key as node-redis takes it. */
export type Argument = string | Buffer;

/** Commands that change no value, by their name without case and underscores. */
const READS = new Set(
  `GET MGET EXISTS TTL PTTL EXPIRETIME PEXPIRETIME TYPE STRLEN GETRANGE SUBSTR GETBIT BITCOUNT BITPOS BITFIELDRO
  OBJECTENCODING OBJECTFREQ OBJECTIDLETIME OBJECTREFCOUNT MEMORYUSAGE DUMP WATCH TOUCH SCAN SCANITERATOR KEYS
  HGET HMGET HGETALL HEXISTS HKEYS HVALS HLEN HSTRLEN HSCAN HSCANITERATOR HRANDFIELD
  SMEMBERS SISMEMBER SMISMEMBER SCARD SRANDMEMBER SSCAN SSCANITERATOR SINTER SUNION SDIFF SINTERCARD
  ZRANGE ZRANGEWITHSCORES ZSCORE ZMSCORE ZCARD ZCOUNT ZRANK ZREVRANK ZLEXCOUNT ZSCAN ZSCANITERATOR
  LRANGE LLEN LINDEX LPOS XLEN XRANGE XREVRANGE XREAD
  EXPIRE PEXPIRE EXPIREAT PEXPIREAT PERSIST PUBLISH SPUBLISH
  SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE`.split(/\s+/),
);

/** `setEx`, `SETEX` and `SET_EX` are one command. */
export const commandName = (method: string): string => method.toUpperCase().replaceAll('_', '');

export const isRead = (name: string): boolean => READS.has(name);

/** Every string in the arguments, however deep: any of them may be a key. */
export function stringsOf(args: readonly unknown[]): string[] {
  return args.flatMap((arg) => {
    if (typeof arg === 'string') return [arg];
    if (Buffer.isBuffer(arg)) return [arg.toString()];
    if (Array.isArray(arg)) return stringsOf(arg);
    return arg !== null && typeof arg === 'object' ? stringsOf(Object.entries(arg)) : [];
  });
}

/** A SET that stores a value and nothing else, whatever command says it. */
export interface PlainSet {
  readonly key: string;
  readonly value: Argument;
  /** As SET takes it: `['EX', '300']`. */
  readonly expiry: readonly string[];
}

/** Reads `set`, `setEx` and `pSetEx`; undefined for one with a condition, or that answers the old value. */
export function plainSetOf(name: string, args: readonly unknown[]): PlainSet | undefined {
  const key = argumentOf(args[0])?.toString();
  if (key === undefined) return undefined;
  if (name === 'SETEX' || name === 'PSETEX') {
    const value = argumentOf(args[2]);
    return value === undefined
      ? undefined
      : { key, value, expiry: [name === 'SETEX' ? 'EX' : 'PX', String(args[1])] };
  }
  const value = argumentOf(args[1]);
  const expiry = expiryOf(args[2]);
  return name === 'SET' && value !== undefined && expiry ? { key, value, expiry } : undefined;
}

function argumentOf(value: unknown): Argument | undefined {
  if (typeof value === 'string' || Buffer.isBuffer(value)) return value;
  return typeof value === 'number' ? String(value) : undefined;
}

const EXPIRY_UNITS = ['EX', 'PX', 'EXAT', 'PXAT'];

function expiryOf(options: unknown): string[] | undefined {
  if (options === undefined) return [];
  if (options === null || typeof options !== 'object') return undefined;
  const named = 'expiration' in options ? options.expiration : undefined;
  const pairs =
    named !== null && typeof named === 'object' && 'type' in named && 'value' in named
      ? [[named.type, named.value], ...Object.entries(options).filter(([name]) => name !== 'expiration')]
      : Object.entries(options);
  const given = pairs.filter(([, value]) => value !== undefined);
  const [first, ...more] = given;
  if (!first) return [];
  return more.length === 0 && EXPIRY_UNITS.includes(String(first[0])) ? first.map(String) : undefined;
}

/** The same expiry, or the one that ends first: a cached value that outlives the outbox could come back from a snapshot for ever. */
export function atMost(
  longestSeconds: number,
  expiry: readonly string[],
  nowMs = Date.now(),
): readonly string[] {
  const [unit, value] = expiry;
  const longest = ['PX', String(longestSeconds * 1000)];
  const leftMs: Readonly<Record<string, number>> = {
    EX: Number(value) * 1000,
    PX: Number(value),
    EXAT: Number(value) * 1000 - nowMs,
    PXAT: Number(value) - nowMs,
  };
  return unit !== undefined && (leftMs[unit] ?? Number.POSITIVE_INFINITY) <= longestSeconds * 1000
    ? expiry
    : longest;
}

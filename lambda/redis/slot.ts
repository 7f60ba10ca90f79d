import type { Command, SlotRange } from './connection.ts';

/** A cluster has 16384 slots. */
export const LAST_SLOT = 16383;

/** What a server that is no part of a cluster holds. */
export const ALL_SLOTS: readonly SlotRange[] = [{ from: 0, to: LAST_SLOT }];

/** CRC-16/XMODEM, polynomial 0x1021: redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec. */
const CRC16 = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc;
});

/** The slot of a key: of what is between its first `{` and the next `}`, if there is anything, else of all of it. */
export function slotOf(key: string | Buffer): number {
  const bytes = typeof key === 'string' ? Buffer.from(key) : key;
  const open = bytes.indexOf('{');
  const close = open < 0 ? -1 : bytes.indexOf('}', open + 1);
  const tagged = close > open + 1;
  let crc = 0;
  for (let index = tagged ? open + 1 : 0; index < (tagged ? close : bytes.length); index += 1) {
    crc = ((crc << 8) & 0xffff) ^ (CRC16[(crc >> 8) ^ (bytes[index] ?? 0)] ?? 0);
  }
  return crc & LAST_SLOT;
}

/** Commands without a key; any primary answers them, about itself. */
const KEYLESS = new Set(
  'ACL ASKING CLIENT CLUSTER COMMAND CONFIG DBSIZE ECHO FLUSHALL FLUSHDB INFO KEYS PING RANDOMKEY SCAN SCRIPT TIME'.split(
    ' ',
  ),
);
const SCRIPTS = new Set(['EVAL', 'EVALSHA']);

/** The key that says which primary a command goes to; undefined for one that any of them answers. */
export function keyOf(command: Command): string | Buffer | undefined {
  const name = String(command[0]).toUpperCase();
  if (KEYLESS.has(name)) return undefined;
  if (!SCRIPTS.has(name)) return command[1];
  // A script without keys has arguments there.
  return String(command[2]) === '0' ? undefined : command[3];
}

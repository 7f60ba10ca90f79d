import { unseal } from '../cache/entry.ts';
import { isLease } from '../cache/lease.ts';
import { BARRIER } from '../cache/state-marks.ts';
import type { Command } from '../redis/connection.ts';

type Send = (command: Command) => Promise<unknown>;

/**
 * What stands under a key: a value as the legacy backend writes it; `nothing`, that the database has none (a negative entry); a value
 * with the epochs of its tags; the lease of a load that is under way; for a key of state, that the database decides, or that it has
 * ended for ever; or a collection.
 */
export type Kind = 'value' | 'nothing' | 'tagged' | 'lease' | 'barrier' | 'tombstone' | 'collection';

/** A physical key as Redis has it. */
export interface PlaceReport {
  readonly key: string;
  /** Undefined where there is nothing. */
  readonly kind?: Kind;
  /** As TYPE says; `not a string` where the user may not ask. */
  readonly type?: string;
  /** Of the value; of a collection it is not told. */
  readonly bytes?: number;
  /** In milliseconds; null for one that does not expire. */
  readonly ttlMs?: number | null;
  /** Of a tagged entry: those that it was loaded under, by tag. */
  readonly epochs?: Readonly<Record<string, string>>;
  /** Only where it was asked for. */
  readonly value?: string;
  /** Why it is not known what is there. */
  readonly error?: string;
}

const NO_EXPIRY = -1;

/** What stands under a key. Never rejects on a refusal: the report says why. @throws what says that Redis is away. */
export async function placeOf(
  send: Send,
  key: string,
  showValue: boolean,
): Promise<PlaceReport & { readonly stored?: string }> {
  const [ttl, read] = await Promise.all([attempt(send, ['PTTL', key]), attempt(send, ['GET', key])]);
  const refusal = /^(NOPERM|MOVED|CLUSTERDOWN) /.exec(read.error ?? ttl.error ?? '');
  if (refusal) return { key, error: read.error ?? ttl.error ?? '' };
  const ttlMs = Number(ttl.reply) === NO_EXPIRY ? null : Number(ttl.reply);
  if (read.error !== undefined) {
    const type = await attempt(send, ['TYPE', key]);
    return { key, kind: 'collection', type: String(type.reply ?? 'not a string'), ttlMs };
  }
  // Expired, or removed, between the two.
  if (read.reply === null || ttlMs === -2) return { key };
  const stored = String(read.reply);
  return { key, ttlMs, type: 'string', ...contentOf(stored, showValue), stored };
}

/** An error that Redis answers is one of the answers here. */
async function attempt(send: Send, command: Command): Promise<{ reply?: unknown; error?: string }> {
  try {
    return { reply: await send(command) };
  } catch (error) {
    const { message } = error as Error;
    if (!/^[A-Z]+ /.test(message)) throw error;
    return { error: message };
  }
}

function contentOf(
  stored: string,
  showValue: boolean,
): Pick<PlaceReport, 'kind' | 'bytes' | 'epochs' | 'value'> {
  const bytes = Buffer.byteLength(stored);
  if (isLease(stored)) return { kind: 'lease', bytes };
  const sealed = unsealed(stored);
  const value = sealed?.bytes ?? stored;
  const kind = sealed ? 'tagged' : kindOf(value);
  return { kind, bytes, ...(sealed && { epochs: sealed.epochs }), ...(showValue && { value }) };
}

function unsealed(stored: string): ReturnType<typeof unseal> {
  try {
    return unseal(stored);
  } catch {
    return { epochs: {}, bytes: stored };
  }
}

function kindOf(value: string): Kind {
  if (value === 'null') return 'nothing';
  if (value === BARRIER) return 'barrier';
  return /^\{"version":\d+,"revoked":true\}$/.test(value) ? 'tombstone' : 'value';
}

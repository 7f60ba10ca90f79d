import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import * as v from 'valibot';

/** Who a request comes from. */
export const ROLES = ['teacher', 'student'] as const;
export type Role = (typeof ROLES)[number];

/** What else is remembered of a session; small, since every request reads it. */
export type SessionData = Readonly<Record<string, string>>;

/** A session as the database has it. The id itself is in the user's cookie and nowhere else. */
export interface Session {
  /** SHA-256 of the id. */
  readonly hash: string;
  readonly userId: string;
  readonly role: Role;
  readonly data: SessionData;
  /** Above that of any earlier state. */
  readonly version: number;
  /** When it ends, however much it is used; in milliseconds since 1970, on the database's clock. */
  readonly expiresAtMs: number;
}

/** A session as Redis has it, with when it was last used as far as Redis and the database know. */
export interface Entry extends Omit<Session, 'hash'> {
  readonly touchedAtMs: number;
  readonly savedAtMs: number;
}

/** What a place holds, read: `barred` says that the database decides. */
export type Held =
  | { readonly kind: 'live'; readonly entry: Entry }
  | { readonly kind: 'revoked' | 'barred' | 'foreign' };

/** What ends a session by itself, in seconds. */
export interface SessionLimits {
  /** Without a request; up to `SAVE_AFTER_MS` more, since not every request is noted in the database. */
  readonly idleSeconds: number;
  /** Since the login, or the one that it was rotated from. */
  readonly absoluteSeconds: number;
}

export const SESSION_LIMITS: SessionLimits = { idleSeconds: 30 * 60, absoluteSeconds: 12 * 60 * 60 };

/**
 * For how long Redis keeps an entry after its last use: as long as the outbox remembers at the least, so that what a Redis brings
 * back from a snapshot is barred. What is not there any more the database decides, and a session outlives its entry.
 */
export const ENTRY_SECONDS = 15 * 60;
/** Use is noted in Redis after so long, and in the database after so long. */
export const TOUCH_AFTER_MS = 60_000;
export const SAVE_AFTER_MS = 5 * 60_000;

const SECRET_BYTES = 32;
const SECRET = /^[A-Za-z0-9_-]{43}$/;

/** 256 random bits, as a cookie or a header can carry them: the id of a session, a token. */
export const newSecret = (): string => randomBytes(SECRET_BYTES).toString('base64url');
/** Whether a text can be one of ours; what cannot is not looked up. */
export const isSecret = (text: string): boolean => SECRET.test(text);
/** What is stored of a secret: one who reads it cannot use it. */
export const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('base64url');
/** Compares in a time that says nothing of where they differ. */
export const isSameHash = (one: string, other: string): boolean => {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
};

export const sessionKey = (hash: string): string => `secure_session:${hash}`;

const Stored = v.object({
  userId: v.string(),
  role: v.picklist(ROLES),
  data: v.record(v.string(), v.string()),
  version: v.pipe(v.number(), v.integer(), v.minValue(1)),
  expiresAtMs: v.number(),
  touchedAtMs: v.number(),
  savedAtMs: v.number(),
});
const Mark = v.union([v.object({ revoked: v.literal(true) }), v.object({ barrier: v.literal(true) })]);

export const encodeEntry = (entry: Entry): string => JSON.stringify(entry);

/** Reads what a place holds; `foreign` for whatever none of our stores writes. */
export function readHeld(bytes: string): Held {
  let json: unknown;
  try {
    json = JSON.parse(bytes);
  } catch {
    return { kind: 'foreign' };
  }
  const mark = v.safeParse(Mark, json);
  if (mark.success) return { kind: 'revoked' in mark.output ? 'revoked' : 'barred' };
  const stored = v.safeParse(Stored, json);
  return stored.success ? { kind: 'live', entry: stored.output } : { kind: 'foreign' };
}

/** A session that was read from the database, or written there, at this moment. */
export function entryOf({ hash: _, ...session }: Session & Pick<Entry, 'savedAtMs'>, nowMs: number): Entry {
  return { ...session, touchedAtMs: nowMs };
}

/** For how long an entry may stay, in milliseconds: never beyond the session's end. */
export const entryTtlMs = ({ expiresAtMs }: Pick<Session, 'expiresAtMs'>, nowMs: number): number =>
  Math.min(ENTRY_SECONDS * 1000, Math.floor(expiresAtMs - nowMs));

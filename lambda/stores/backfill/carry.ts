import type { Send } from '../../cache/redis-store.ts';
import { replyCodeOf } from '../../cache/reply-code.ts';
import { isWrongType } from '../../cache/wrong-type.ts';
import { fieldsOf, joinCommand } from '../analytics-record.ts';
import type { Joining } from './plan.ts';
import { NEWEST, UNION } from './scripts.ts';

/**
 * What became of a key: it was carried, in whole or in part; the other home has it already; it holds what none of our stores writes
 * there; it has gone meanwhile.
 */
export type Outcome = 'carried' | 'kept' | 'foreign' | 'gone';

/** How to ask for a key, and where it is stored. */
export interface Ways {
  /** To the server that has the key. Answers buffers. */
  readonly from: Send;
  /** To the server that has the other home of the key. */
  readonly to: Send;
  /** Whether these can be two servers. */
  readonly clustered: boolean;
  /** Says what would be done, and does nothing. */
  readonly dryRun: boolean;
}

/** A key, and its other home. */
export interface Move {
  readonly key: Buffer;
  readonly home: Buffer;
}

type Carry = (ways: Ways, move: Move) => Promise<Outcome>;

/** What PEXPIRETIME answers of a key that is not there. */
const NOT_THERE = -2;
/** Lua's stack takes some thousands. */
const MAX_UNPACKED = 1000;

/** By how the family's keys are joined where both homes have one. */
const CARRY: Readonly<Record<Joining, Carry>> = { absent, newest, union, counts };

/** Carries a key with the time when it ends. @throws what Redis answers, but for another type under a key. */
export async function carry(ways: Ways, joining: Joining, move: Move): Promise<Outcome> {
  try {
    return await CARRY[joining](ways, move);
  } catch (error) {
    if (isWrongType(error)) return 'foreign';
    throw error;
  }
}

async function absent(ways: Ways, { key, home }: Move): Promise<Outcome> {
  const { from, to, clustered, dryRun } = ways;
  if (dryRun) return (await to(['EXISTS', home])) === 1 ? 'kept' : 'carried';
  // In one step, so that nothing can be removed in between.
  if (!clustered) return (await to(['COPY', key, home])) === 1 ? 'carried' : 'kept';
  const [bytes, endsAtMs] = await Promise.all([from(['DUMP', key]), from(['PEXPIRETIME', key])]);
  if (bytes === null || endsAtMs === NOT_THERE) return 'gone';
  try {
    const end = String(Math.max(0, Number(endsAtMs)));
    await to(['RESTORE', home, end, bytes as Buffer, 'ABSTTL']);
  } catch (error) {
    if (replyCodeOf(error) === 'BUSYKEY') return 'kept';
    throw error;
  }
  // What was removed from both homes meanwhile must not be back in one.
  if ((await from(['EXISTS', key])) === 1) return 'carried';
  await to(['UNLINK', home]);
  return 'gone';
}

async function newest({ from, to, dryRun }: Ways, { key, home }: Move): Promise<Outcome> {
  const [bytes, endsAtMs] = await Promise.all([from(['GET', key]), from(['PEXPIRETIME', key])]);
  if (bytes === null || endsAtMs === NOT_THERE) return 'gone';
  // What has ended says so in both homes, and a mark of that is never replaced: nothing can come back.
  const args = [bytes as Buffer, String(endsAtMs), lookOr(dryRun)];
  return outcomeOf(await to(['EVAL', NEWEST, '1', home, ...args]));
}

async function union({ from, to, dryRun }: Ways, { key, home }: Move): Promise<Outcome> {
  const [members, endsAtMs] = await Promise.all([membersOf(from, key), from(['PEXPIRETIME', key])]);
  if (members.length === 0 || endsAtMs === NOT_THERE) return 'gone';
  let added = 0;
  for (let at = 0; at < members.length; at += MAX_UNPACKED) {
    const some = members.slice(at, at + MAX_UNPACKED);
    added += Number(await to(['EVAL', UNION, '1', home, String(endsAtMs), lookOr(dryRun), ...some]));
  }
  if (added === 0 || dryRun) return outcomeOf(Math.min(1, added));
  // A second look: what was removed from both homes meanwhile must not be back in one.
  const present = new Set((await membersOf(from, key)).map((member) => member.toString('latin1')));
  const removed = members.filter((member) => !present.has(member.toString('latin1')));
  if (removed.length > 0) await to(['SREM', home, ...removed]);
  return 'carried';
}

async function counts({ from, to, dryRun }: Ways, { key, home }: Move): Promise<Outcome> {
  const [reply, endsAtMs] = await Promise.all([from(['HGETALL', key]), from(['PEXPIRETIME', key])]);
  if (endsAtMs === NOT_THERE) return 'gone';
  const fields = fieldsOf(reply);
  if (Object.keys(fields).length === 0) return 'foreign';
  const lives = { untilMs: Number(endsAtMs) };
  const [changed] = (await to(joinCommand({ place: home, fields, lives, look: dryRun }))) as number[];
  return outcomeOf(Math.min(1, changed ?? 0));
}

const membersOf = async (from: Send, key: Buffer) => (await from(['SMEMBERS', key])) as readonly Buffer[];
const lookOr = (dryRun: boolean) => (dryRun ? 'look' : 'change');

/** Scripts answer 1 for a change, 0 for none, -1 for what is not ours. */
function outcomeOf(reply: unknown): Outcome {
  if (reply === 1) return 'carried';
  return reply === 0 ? 'kept' : 'foreign';
}

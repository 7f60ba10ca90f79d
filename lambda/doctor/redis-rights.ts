import { randomUUID } from 'node:crypto';
import { environmentName, familiesIn, phaseOf } from '../cache/phase.ts';
import { accessStringsOf } from '../contract/access.ts';
import type { Environment } from '../contract/switches.ts';
import type { Command } from '../redis/connection.ts';
import { ErrorReply, type RawConnection } from '../redis/raw/raw-connection.ts';
import { type Finding, fail, pass, warn } from './examination.ts';

type Server = Pick<RawConnection, 'send'>;

/** What Redis said to a command: it checks rights before anything else, so any other error shows the right as well. */
type Answer = 'may' | 'may not run' | 'may not touch';

const KEY_REFUSED = /\bkeys?\b/;
const THROW_AWAY_MS = 10_000;

/**
 * Arguments for each command of the runtime, on a throw-away key that is a text with a time to live: so that what makes sets and
 * hashes of it changes nothing.
 */
export const TRIALS: Readonly<Record<string, (key: string) => Command>> = {
  get: (key) => ['GET', key],
  mget: (key) => ['MGET', key],
  pttl: (key) => ['PTTL', key],
  pexpire: (key) => ['PEXPIRE', key, String(THROW_AWAY_MS)],
  persist: (key) => ['PERSIST', `${key}:nobody`],
  eval: (key) => ['EVAL', 'return 1', '1', key],
  evalsha: (key) => ['EVALSHA', '0'.repeat(40), '1', key],
  sadd: (key) => ['SADD', key, 'member'],
  srem: (key) => ['SREM', key, 'member'],
  smembers: (key) => ['SMEMBERS', key],
  hget: (key) => ['HGET', key, 'field'],
  hgetall: (key) => ['HGETALL', key],
  hkeys: (key) => ['HKEYS', key],
  hset: (key) => ['HSET', key, 'field', 'value'],
  hdel: (key) => ['HDEL', key, 'field'],
  ping: () => ['PING'],
  info: () => ['INFO', 'server'],
  set: (key) => ['SET', key, 'doctor', 'NX', 'PX', String(THROW_AWAY_MS), 'GET'],
  unlink: (key) => ['UNLINK', key],
};
/** They would make a key without a time to live where the throw-away key is not there. */
const NEEDS_KEY = new Set(['sadd', 'hset']);

/**
 * Whether this user has the rights of the runtime, tried on the server: each command on a key that this throws away again, and
 * UNLINK of nobody's key for each pattern of keys. The server may be any node of a cluster.
 */
export async function wideEnough(server: Server, environment: Environment): Promise<Finding> {
  const { commands, patterns } = rightsIn(environment);
  const token = randomUUID();
  const key = `cutover:lease:{${token}}:${token}`;
  const missing: string[] = [];
  const tryOut = async (name: string): Promise<boolean> => {
    const trial = TRIALS[name]?.(key);
    const answer = trial ? await ask(server, trial) : 'may';
    if (answer === 'may not run') missing.push(`+${name}`);
    return answer === 'may';
  };
  const isThere = await tryOut('set');
  for (const name of commands) {
    if (name === 'set' || name === 'unlink' || (NEEDS_KEY.has(name) && !isThere)) continue;
    await tryOut(name);
  }
  const mayUnlink = await tryOut('unlink');
  for (const pattern of patterns) {
    if ((await ask(server, touching(pattern, mayUnlink))) === 'may not touch') missing.push(`~${pattern}`);
  }
  if (missing.length === 0)
    return pass(`all ${commands.length} commands and ${patterns.length} patterns of keys`);
  const shown = missing.slice(0, MAX_SHOWN).join(' ');
  const more = missing.length > MAX_SHOWN ? ` and ${missing.length - MAX_SHOWN} more` : '';
  return fail(
    `too narrow: it lacks ${shown}${more}`,
    'give the user of the URL these rules; all of them are those of `serverless` in lambda/contract/access.ts',
  );
}

const MAX_SHOWN = 12;

/** Whether it may what nobody here needs: a FLUSHALL that is refused for its argument, and a key of nobody's family. */
export async function narrowEnough(server: Server): Promise<Finding> {
  const tooMuch: string[] = [];
  // Rights are checked before arguments: no server has this mode, so that nothing is flushed.
  if ((await ask(server, ['FLUSHALL', 'CUTOVER-DOCTOR'])) === 'may') tooMuch.push('FLUSHALL');
  if ((await ask(server, ['GET', `nobodys:${randomUUID()}`])) === 'may') tooMuch.push('keys of any name');
  if (tooMuch.length === 0) return pass('neither FLUSHALL nor keys of other names');
  return warn(
    `wider than the runtime needs: ${tooMuch.join(' and ')}`,
    'make a user with the rules of `serverless` in lambda/contract/access.ts, and name it in the URL',
  );
}

/** What a user of the runtime has to be given, in this environment. */
function rightsIn(environment: Environment): { commands: string[]; patterns: string[] } {
  const { serverless } = accessStringsOf({
    phase: phaseOf(environment),
    env: environmentName(environment['NODE_ENV']),
    families: familiesIn(environment),
  });
  const rules = serverless.split(' ');
  const beginningWith = (sign: string) =>
    rules.filter((rule) => rule.startsWith(sign)).map((rule) => rule.slice(1));
  return { commands: beginningWith('+'), patterns: beginningWith('~') };
}

/** A command on nobody's key that the pattern matches; one without a star is a key that is in use, and only read. */
function touching(pattern: string, mayUnlink: boolean): Command {
  const key = pattern.replace(/\*$/, randomUUID()).replace(/\\(.)/g, '$1');
  return [pattern.endsWith('*') && mayUnlink ? 'UNLINK' : 'GET', key];
}

async function ask({ send }: Server, command: Command): Promise<Answer> {
  try {
    await send(command);
    return 'may';
  } catch (error) {
    if (!(error instanceof ErrorReply)) throw error;
    if (!error.message.startsWith('NOPERM ')) return 'may';
    return KEY_REFUSED.test(error.message) ? 'may not touch' : 'may not run';
  }
}

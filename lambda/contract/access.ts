import type { Phase } from './environment.ts';
import { FAMILIES, type Family } from './families.ts';
import { NEIGHBOURS, namespacesIn, prefixIn } from './namespaces.ts';

/**
 * Who connects to the Redis: the serverless backend with its dispatcher, the flush, the census, the auditor, the backfill, the legacy
 * backend, its mirror where it forgets the serverless backend's entries, and the stores of state in it, where it has them.
 */
export const REDIS_USERS = [
  'serverless',
  'flush',
  'census',
  'auditor',
  'backfill',
  'legacy',
  'legacy-twins',
  'legacy-state',
] as const;
export type RedisUser = (typeof REDIS_USERS)[number];

export interface AccessOptions {
  /** Where the migration stands; a user may also what the phases beside it need. */
  readonly phase: Phase;
  /** The name in `cw:{env}:`, by convention `NODE_ENV`. */
  readonly env: string;
  readonly families?: readonly Family[];
}

/** The protocol's own keys. */
const LEASES = 'cutover:lease:*';
const EPOCHS = 'cutover:epoch:*';
const CLAIM = 'cutover:env';
/** Who is there, and whose invalidations the outbox does not tell of. */
const INSTANCES = 'cutover:instance:*';
const SEEN = 'cutover:seen:*';
/** Since when nobody has needed the legacy keys. */
const FALLBACK = 'cutover:fallback';
const REPLAYED = ['cutover:replayed', 'cutover:replayed-lately'];

const SERVERLESS_COMMANDS = [
  ...['get', 'mget', 'set', 'unlink', 'eval', 'evalsha', 'pttl', 'pexpire'],
  ...['sadd', 'srem', 'smembers', 'persist', 'ping', 'info'],
  ...['hgetall', 'hget', 'hset', 'hdel', 'hkeys'],
];
/** What a pass over the keys connects with: a name to be known by. */
const PASS_COMMANDS = ['scan', 'ping', 'info', 'client|setname'];
const FLUSH_COMMANDS = [...PASS_COMMANDS, 'unlink', 'get', 'memory|usage', 'pttl'];
/** None of them answers what a key holds. */
const CENSUS_COMMANDS = [...PASS_COMMANDS, 'memory|usage', 'pttl'];
/** It shows values, of what is cached only, and changes none. */
const AUDITOR_COMMANDS = [...PASS_COMMANDS, 'get', 'mget', 'pttl'];
const BACKFILL_COMMANDS = [
  ...[...PASS_COMMANDS, 'copy', 'dump', 'restore', 'exists', 'unlink', 'get', 'set', 'eval'],
  ...['pttl', 'pexpire', 'pexpiretime', 'pexpireat', 'persist'],
  ...['sadd', 'srem', 'sismember', 'smembers', 'hgetall', 'hget', 'hset', 'hdel', 'hkeys'],
];
/** Its code is somebody else's: all that reads and writes keys, and nothing that is dangerous to others (KEYS, FLUSHALL, CONFIG). */
const LEGACY_RULES = [
  ...['+@read', '+@write', '+@connection', '+@transaction', '-@admin', '-@dangerous'],
  ...['+eval', '+evalsha', '+script|load', '+script|exists', '+info'],
];
const TWINS_COMMANDS = ['get', 'unlink', 'ping', 'info'];

/**
 * What each user of the Redis may do, as an access string of ElastiCache, or rules of ACL SETUSER, without how the user shows who
 * it is. Derived from the registry. A phase's rights are those of its neighbours, too, so that a step back needs no change of users:
 * they are widened before a step forward, and narrowed after it.
 *
 * Rules without selectors, of which nobody knows whether ElastiCache takes them. Without one, who may unlink a key may write it:
 * so the legacy backend unlinks the serverless backend's entries as a user of its own, who may do nothing else
 * (docs/decisions/0006-the-mirror-has-a-second-user.md).
 */
export function accessStringsOf(options: AccessOptions): Readonly<Record<RedisUser, string>> {
  const { families = FAMILIES, env } = options;
  const cached = families.filter(({ kind }) => kind === 'cache');
  const flushed = families.filter(({ onFlush }) => onFlush === 'flush');
  const everywhere = ['', ...namespacesIn(env)];
  const own = [LEASES, EPOCHS, CLAIM, ...REPLAYED, INSTANCES, SEEN, FALLBACK];
  return {
    serverless: rules(
      [...keysIn(everywhere, cached), ...stateKeys(options), ...own],
      allowing(SERVERLESS_COMMANDS),
    ),
    flush: rules([...keysIn(everywhere, flushed), CLAIM], allowing(FLUSH_COMMANDS)),
    census: rules(['*'], allowing(CENSUS_COMMANDS)),
    auditor: rules([...keysIn(everywhere, cached), ...own], allowing(AUDITOR_COMMANDS)),
    backfill: rules([...bothHomes(families, env), CLAIM], allowing(BACKFILL_COMMANDS)),
    legacy: rules([...keysIn([''], families), ...own], LEGACY_RULES),
    'legacy-twins': rules(keysIn(namespacesIn(env), cached), allowing(TWINS_COMMANDS)),
    // This runtime's own code, in the legacy backend.
    'legacy-state': rules(stateKeys(options), allowing(SERVERLESS_COMMANDS)),
  };
}

/**
 * Where the phase and its neighbours keep the families of state, and where they say that something has ended: in both homes, except in
 * `isolated`, whose neighbour does.
 */
function stateKeys({ families = FAMILIES, phase, env }: AccessOptions): string[] {
  return families
    .filter(({ kind }) => kind === 'state')
    .flatMap((family) => {
      const at = family.phase ?? phase;
      const phases: readonly Phase[] = family.phaseSwitch ? ['legacy', 'prefixed'] : [at, ...NEIGHBOURS[at]];
      const prefixes = phases.flatMap((each) =>
        each === 'isolated' ? [''] : ['', prefixIn('prefixed', family, env)],
      );
      return keysIn([...new Set(prefixes)], [family]);
    });
}

/** Those of the families that a backfill carries, in every phase: who may not run in this one is no matter of rights. */
const bothHomes = (families: readonly Family[], env: string): string[] =>
  keysIn(
    ['', prefixIn('prefixed', { kind: 'state' }, env)],
    families.filter(({ kind, phaseSwitch }) => kind === 'state' && !phaseSwitch),
  );

const keysIn = (prefixes: readonly string[], families: readonly Family[]): string[] =>
  prefixes.flatMap((prefix) => families.map(({ name }) => `${prefix}${escaped(name)}:*`));

/** As Redis's patterns have it. */
const escaped = (name: string): string => name.replace(/[*?[\]\\]/g, '\\$&');

const allowing = (commands: readonly string[]): string[] => commands.map((command) => `+${command}`);

const rules = (keys: readonly string[], commands: readonly string[]): string =>
  ['on', ...keys.map((key) => `~${key}`), '-@all', ...commands].join(' ');

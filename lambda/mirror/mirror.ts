import { claimEnvironment } from '../cache/claim.ts';
import { createKeyspace } from '../cache/keyspace.ts';
import { environmentName } from '../cache/phase.ts';
import { createPresence } from '../cache/presence.ts';
import type { Send } from '../cache/redis-store.ts';
import { ConfigurationError } from '../contract/errors.ts';
import { FAMILIES, type Family, retentionSeconds } from '../contract/families.ts';
import { atMost, commandName, isRead, plainSetOf, stringsOf } from './commands.ts';
import { gateOf } from './gate.ts';
import { type MultiOptions, mirrorMulti } from './multi.ts';
import { createProtocol } from './protocol.ts';
import { type Call, runUnknownWrite } from './unknown-write.ts';

/** What the mirror needs of the legacy backend's client: one connection of node-redis 4 or newer. */
export interface MirrorableClient {
  readonly isReady: boolean;
  sendCommand(args: (string | Buffer)[]): Promise<unknown>;
  on?(event: 'ready' | 'end', listener: () => void): unknown;
}

export interface MirrorOptions {
  /** The name in `cw:{env}:`; the same that the serverless backend has as NODE_ENV. */
  readonly env: string;
  readonly families?: readonly Family[];
  /** How `cutover coverage` and `cutover phase` name this service. Default: `legacy`. */
  readonly service?: string;
  /**
   * A client of the user who may unlink the serverless backend's entries, where the legacy backend's own user may not touch them
   * (`legacy-twins`, docs/decisions/0006-the-mirror-has-a-second-user.md). You connect it and close it. Default: the mirrored client.
   */
  readonly twins?: Pick<MirrorableClient, 'sendCommand'>;
  /**
   * Told once of each command that the mirror does not know and therefore follows by an invalidation, and of what keeps it
   * from reading. Default: a warning of the process.
   */
  readonly onWarning?: (message: string) => void;
}

const DERIVES = new Set(['WITHTYPEMAPPING', 'WITHCOMMANDOPTIONS', 'WITHABORTSIGNAL']);
/** Other connections, or an order of their own: their invalidations could overtake each other. */
const REFUSED = new Set(['LEGACY', 'CREATEPOOL', 'EXECUTEISOLATED', 'ASAP']);
/** The legacy backend's own removal or change of a set: runs where the UNLINK of the legacy key would. */
const REPLACES_VALUE = new Set(['DEL', 'UNLINK', 'GETDEL', 'SADD', 'SREM']);
/** Scripts can change keys that their arguments do not name. */
const SCRIPTS = new Set(['EVAL', 'EVALSHA', 'FCALL']);

/**
 * Makes the legacy backend coherent with the serverless one: wraps its Redis client, and its code stays as it is.
 *
 * A miss takes the lease beside the key, the `setEx` that follows in the same asynchronous context stores only
 * under it, and every other command that names a cached key and may change it is an invalidation for both backends.
 * Keys of state families and keys that the registry does not know pass untouched.
 *
 * A load has to begin after the answer of its `get`: one that runs beside it, or goes on when a `Promise.race` has given
 * up the `get`, can still store what an update has just replaced. A `get` that nobody awaits can, before Node 24, lend its
 * lease to the next request on the same connection. Scripts and sets that are filled by SADD are not covered.
 * @throws ConfigurationError for a client that is no single connection, or an unusable `env`. The first command
 * on a mapped key rejects with one, too, when the Redis is in use under another `env`.
 * @example
 * ```ts
 * import { mirror } from 'cutover/mirror';
 * import { createClient } from 'redis';
 *
 * const client = createClient({ url: process.env.REDIS_URL ?? 'redis://localhost:6379' }).on('error', console.error);
 * const redis = mirror(client, { env: 'production' }); // the line; what follows is as it was
 * await redis.connect();
 * await redis.get('mocs:user:123:list'); // => null
 * await redis.setEx('mocs:user:123:list', 300, '["first"]');
 * await redis.get('mocs:user:123:list'); // => '["first"]'
 * await redis.set('v2:mocs:user:123:list', '["first"]'); // the serverless backend's entry
 * await redis.del('mocs:user:123:list');
 * await redis.exists('v2:mocs:user:123:list'); // => 0
 * redis.destroy();
 * ```
 */
export function mirror<C extends MirrorableClient>(client: C, options: MirrorOptions): C {
  if (typeof client?.sendCommand !== 'function' || typeof client.isReady !== 'boolean') {
    throw new ConfigurationError(
      'mirror: the client has to be one connection, made by createClient() of node-redis',
    );
  }
  const env = environmentName(options.env, 'env');
  const { keyPrefix } = (client as { options?: { keyPrefix?: unknown } }).options ?? {};
  if (keyPrefix) {
    throw new ConfigurationError(
      `mirror: keyPrefix=${String(keyPrefix)} hides the keys; name them in full and drop it`,
    );
  }
  const keyspace = createKeyspace({ phase: 'legacy', env, families: options.families ?? FAMILIES });
  const { twins } = options;
  const send = twins
    ? sendEither(sendTo(client), { twins: sendTo(twins), namespaces: keyspace.namespaces })
    : sendTo(client);
  const warn = options.onWarning ?? ((message: string) => process.emitWarning(message, 'CutoverMirror'));
  const onUnknownWrite = once(warn, unknownWrite);
  const onBlind = once(warn, blind);
  const { gate, checked } = gateOf(client, send, onBlind);
  const protocol = createProtocol({ send, hasTwins: twins !== undefined, mayRead: gate.isOpen });

  const { service = 'legacy' } = options;
  const isHere = createPresence({ send, service, phase: 'legacy', env, mirror: true });

  let claim: Promise<void> | undefined;
  const claimed = async () => {
    // A failed command is not an answer; only a Redis that is another's stays refused.
    claim ??= claimEnvironment(send, env).catch((error: unknown) => {
      claim = undefined;
      if (error instanceof ConfigurationError) throw error;
    });
    await Promise.all([claim, checked()]);
    // A command of a client that is away would wait in its queue.
    if (client.isReady) isHere();
  };

  const locate = (text: string) => {
    const places = keyspace.tryLocate(text);
    return places?.family.kind === 'cache' ? places : undefined;
  };
  const longestSeconds = retentionSeconds(keyspace.families);
  return wrap(client, { options, locate, protocol, claimed, onUnknownWrite, longestSeconds });
}

const sendTo =
  (client: Pick<MirrorableClient, 'sendCommand'>): Send =>
  async (command) => {
    const reply = await client.sendCommand([...command]);
    // The client may be told to answer buffers.
    return Buffer.isBuffer(reply) ? reply.toString() : reply;
  };

/** Commands on namespaced keys, each of which names one, go to the twins' client. */
function sendEither(
  own: Send,
  { twins, namespaces }: { readonly twins: Send; readonly namespaces: readonly string[] },
): Send {
  return (command) => {
    const key = String(command[1]);
    return namespaces.some((namespace) => key.startsWith(namespace)) ? twins(command) : own(command);
  };
}

interface Wiring extends MultiOptions {
  readonly options: MirrorOptions;
  readonly onUnknownWrite: (name: string) => void;
}

function wrap<C extends object>(client: C, wiring: Wiring): C {
  const wrapped: C = new Proxy(client, {
    get(target, property) {
      const method = Reflect.get(target, property, target) as unknown;
      if (typeof method !== 'function' || typeof property !== 'string') return method;
      return (...args: unknown[]) => {
        const original = () => method.apply(target, args);
        const name = commandName(property);
        if (REFUSED.has(name)) throw goesAround(property);
        if (name === 'WITHCOMMANDOPTIONS' && asksAsap(args[0])) throw goesAround(property);
        if (name === 'MULTI') return mirrorMulti(original() as object, wiring);
        if (name === 'DUPLICATE') return mirror(original() as MirrorableClient, wiring.options);
        if (DERIVES.has(name)) return wrap(original() as object, wiring);
        const result = perform(name, { target, method: property, args, original }, wiring);
        // `on()` answers the client itself, `connect()` promises it: both have to stay mirrored.
        if (name === 'CONNECT') return Promise.resolve(result).then(() => wrapped);
        return result === target ? wrapped : result;
      };
    },
  });
  return wrapped;
}

const asksAsap = (options: unknown): boolean =>
  options !== null && typeof options === 'object' && 'asap' in options && options.asap === true;

const goesAround = (method: string) =>
  new ConfigurationError(`mirror: ${method}() would go around the mirror; use the client itself`);

/** Runs a command; what depends on the caller's context happens before anything is awaited. */
function perform(name: string, call: Call, wiring: Wiring): unknown {
  const { locate, protocol, claimed, onUnknownWrite, longestSeconds } = wiring;
  const { args, original } = call;
  const strings = stringsOf(args);
  if (name === 'MGET') {
    const all = strings.map(locate);
    return all.some(Boolean) ? protocol.readMany(all, after(claimed, original)) : original();
  }
  const mapped = strings.flatMap((text) => locate(text) ?? []);
  const [first] = mapped;
  const sent = name === 'SENDCOMMAND' ? commandName(String(strings[0])) : name;
  if (SCRIPTS.has(sent)) onUnknownWrite(sent);
  if (!first) return original();
  if (name === 'GET' || name === 'GETEX') return protocol.read(first, after(claimed, original));

  const set = plainSetOf(name, args);
  if (set) {
    const places = locate(set.key);
    if (!places) return original();
    const token = protocol.take(set.key);
    const expiry = atMost(longestSeconds, set.expiry);
    return after(claimed, () => protocol.set(places, { ...set, expiry, token }).then(() => 'OK'))();
  }
  if (REPLACES_VALUE.has(name)) return after(claimed, () => protocol.invalidate(mapped, original))();

  if (isRead(sent)) return original();
  onUnknownWrite(sent);
  return after(claimed, () => runUnknownWrite(call, { ...wiring, mapped }))();
}

const after =
  <T>(first: () => Promise<void>, then: () => Promise<T>) =>
  async (): Promise<T> => {
    await first();
    return then();
  };

const unknownWrite = (name: string) =>
  `mirror: ${name} on a cached key is not known to the mirror: what it stores is removed again, and keys that only a script names are not seen`;

const blind = (reason: string) =>
  `mirror: Redis cannot be asked whether its invalidations are complete (${reason}); until it can, every read is a miss: grant the user +info, and all on cutover:*`;

/** Tells each thing once, however often it happens. */
function once(tell: (message: string) => void, say: (what: string) => string): (what: string) => void {
  const told = new Set<string>();
  return (what) => {
    if (told.has(what)) return;
    told.add(what);
    tell(say(what));
  };
}

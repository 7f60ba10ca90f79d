import { claimEnvironment } from '../cache/claim.ts';
import { createKeyspace, type Keyspace, type Places } from '../cache/keyspace.ts';
import { environmentName } from '../cache/phase.ts';
import type { Send } from '../cache/redis-store.ts';
import { ConfigurationError } from '../contract/errors.ts';
import { FAMILIES, type Family } from '../contract/families.ts';
import { commandName, isRead, plainSetOf, stringsOf } from './commands.ts';
import { mirrorMulti } from './multi.ts';
import { createProtocol, type MirrorProtocol } from './protocol.ts';

/** What the mirror needs of the legacy backend's client: one connection of node-redis 4 or newer. */
export interface MirrorableClient {
  readonly isReady: boolean;
  sendCommand(args: (string | Buffer)[]): Promise<unknown>;
}

export interface MirrorOptions {
  /** The name in `cw:{env}:`; the same that the serverless backend has as NODE_ENV. */
  readonly env: string;
  readonly families?: readonly Family[];
  /** Told once of each command that the mirror does not know and therefore follows by an invalidation. */
  readonly onUnknownWrite?: (message: string) => void;
}

interface Call {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly original: () => Promise<unknown>;
}

const DERIVES = new Set(['DUPLICATE', 'WITHTYPEMAPPING', 'WITHCOMMANDOPTIONS', 'WITHABORTSIGNAL', 'ASAP']);
const REPLACES_VALUE = new Set(['DEL', 'UNLINK', 'GETDEL', 'SADD', 'SREM']);

/**
 * Makes the legacy backend coherent with the serverless one: wraps its Redis client, and its code stays as it is.
 *
 *     const redis = mirror(createClient({ url }), { env: 'production' });
 *
 * A miss takes the lease beside the key, the `setEx` that follows in the same asynchronous context stores only
 * under it, and every other change of a cached key is an invalidation for both backends. Keys of state families
 * and keys that the registry does not know pass untouched. A load has to begin after the answer of its `get`:
 * one that runs beside it can still store what an update has just replaced.
 * @throws ConfigurationError for a client that is no single connection, or an unusable `env`. The first command
 * on a mapped key rejects with one, too, when the Redis is in use under another `env`.
 */
export function mirror<C extends MirrorableClient>(client: C, options: MirrorOptions): C {
  if (typeof client?.sendCommand !== 'function' || typeof client.isReady !== 'boolean') {
    throw new ConfigurationError(
      'mirror: the client has to be one connection, made by createClient() of node-redis',
    );
  }
  const env = environmentName({ NODE_ENV: options.env });
  const keyspace = createKeyspace({ phase: 'legacy', env, families: options.families ?? FAMILIES });
  const send: Send = (command) => client.sendCommand([...command]);
  const protocol = createProtocol(send);
  const onUnknownWrite = once(
    options.onUnknownWrite ?? ((message) => process.emitWarning(message, 'CutoverMirror')),
  );

  let claim: Promise<void> | undefined;
  const claimed = () => {
    // A failed command is not an answer; only a Redis that is another's stays refused.
    claim ??= claimEnvironment(send, env).catch((error: unknown) => {
      claim = undefined;
      if (error instanceof ConfigurationError) throw error;
    });
    return claim;
  };

  return wrap(client, { keyspace, protocol, claimed, onUnknownWrite });
}

interface Wiring {
  readonly keyspace: Keyspace;
  readonly protocol: MirrorProtocol;
  readonly claimed: () => Promise<void>;
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
        if (name === 'MULTI') return mirrorMulti(original() as object, wiring);
        if (DERIVES.has(name)) return wrap(original() as object, wiring);
        const result = perform({ name, args, original }, wiring);
        // `on()` answers the client itself, `connect()` promises it: both have to stay mirrored.
        if (name === 'CONNECT') return Promise.resolve(result).then(() => wrapped);
        return result === target ? wrapped : result;
      };
    },
  });
  return wrapped;
}

/** Runs a command; what depends on the caller's context happens before anything is awaited. */
function perform(call: Call, { keyspace, protocol, claimed, onUnknownWrite }: Wiring): unknown {
  const { name, args, original } = call;
  const locate = (text: string): Places | undefined => {
    const places = keyspace.tryLocate(text);
    return places?.family.kind === 'cache' ? places : undefined;
  };

  if (name === 'MGET') {
    const all = stringsOf(args).map(locate);
    return all.some(Boolean) ? protocol.readMany(all, after(claimed, original)) : original();
  }
  const mapped = stringsOf(args).flatMap((text) => locate(text) ?? []);
  const [first] = mapped;
  if (!first) return original();
  if (name === 'GET') return protocol.read(first, after(claimed, original));

  const set = plainSetOf(name, args);
  if (set) {
    const places = locate(set.key);
    if (!places) return original();
    const token = protocol.take(set.key);
    return after(claimed, () => protocol.set(places, { ...set, token }).then(() => 'OK'))();
  }
  if (REPLACES_VALUE.has(name)) return after(claimed, () => protocol.invalidate(mapped, original))();

  const sent = name === 'SENDCOMMAND' ? commandName(String(stringsOf(args)[0])) : name;
  if (isRead(sent)) return original();
  onUnknownWrite(sent);
  return after(claimed, () => original().finally(() => protocol.invalidate(mapped)))();
}

const after =
  <T>(first: () => Promise<void>, then: () => Promise<T>) =>
  async (): Promise<T> => {
    await first();
    return then();
  };

function once(tell: (message: string) => void): (name: string) => void {
  const told = new Set<string>();
  return (name) => {
    if (told.has(name)) return;
    told.add(name);
    tell(
      `mirror: ${name} on a cached key is not known to the mirror: it runs as it is and is followed by an invalidation`,
    );
  };
}

/**
 * A cluster: one connection of `connectSingle`'s to each primary, and commands routed by the slot of their key.
 * It is not node-redis's `createCluster`: while one of three primaries is frozen, that one's `connect()` is pending for
 * as long, whatever its timeouts, and no other primary can be asked (6.3.1, measured for 8 s). Here deadline, handshake,
 * silence, thaw and credentials are those of a connection to one server.
 */
import type { Command, Primary, RedisConnection, RedisOptions, SlotRange } from './connection.ts';
import { endpointOf, requireNoDatabase, urlOfNode } from './endpoint.ts';
import { unavailable } from './errors.ts';
import { ErrorReply } from './node-redis.ts';
import { connectSingle, type SingleConnection } from './single-connection.ts';
import { keyOf, LAST_SLOT, slotOf } from './slot.ts';
import { type AnnouncedPrimary, primariesOf, redirectionOf, TopologyError } from './topology.ts';
import { createWaiters } from './waiters.ts';

/**
 * A process has ten connections at the most: one asks a cluster none of whose known nodes answers, and another one is opened
 * for what the known connections did not answer (fresh.ts).
 */
const MAX_PRIMARIES = 8;
const ASK_AGAIN_AFTER_MS = 1000;

interface Node {
  readonly url: string;
  readonly connection: SingleConnection;
  readonly primary: Primary;
  slots: readonly SlotRange[];
}

/**
 * Connections to all primaries of a cluster; replicas are not read. The URL names any node, or the cluster's
 * configuration endpoint, and is asked again when no known node answers.
 * @throws ConfigurationError for a URL that is not one of Redis, or names a database.
 */
export function connectCluster(options: RedisOptions): RedisConnection {
  const {
    url,
    waitForConnectionMs = 100,
    deadlineMs = 150,
    onReady = () => {},
    onError = () => {},
  } = options;
  const endpoint = endpointOf(url);
  requireNoDatabase(endpoint);
  const nodes = new Map<string, Node>();
  const waiting = createWaiters();
  let bySlot: readonly (Node | undefined)[] = [];
  let seed: SingleConnection | undefined;
  let refreshing = false;
  let again: NodeJS.Timeout | undefined;
  let ended = false;
  let lastError: Error | undefined;

  const unknown = () => unavailable('the primaries of the cluster are not known in time', lastError);
  const failed = (error: Error) => {
    lastError = error;
    if (!ended) onError(error);
  };

  const openNode = ({ slots, ...address }: AnnouncedPrimary): Node => {
    const nodeUrl = urlOfNode(endpoint, address);
    const connection = connectSingle({
      ...options,
      url: nodeUrl,
      onReady: () => onReady(node.primary),
      onError(error) {
        failed(error);
        // Its place may be another node's by now.
        void refresh();
      },
    });
    const primary: Primary = {
      send: connection.send,
      get slots() {
        return node.slots;
      },
    };
    const node: Node = { url: nodeUrl, connection, primary, slots };
    return node;
  };

  const apply = (announced: ReadonlyMap<string, AnnouncedPrimary>) => {
    seed?.close();
    seed = undefined;
    for (const [address, { connection }] of nodes) {
      if (announced.has(address)) continue;
      nodes.delete(address);
      connection.close();
    }
    const routes = new Array<Node | undefined>(LAST_SLOT + 1).fill(undefined);
    for (const [address, primary] of announced) {
      const known = nodes.get(address);
      if (!known && nodes.size >= MAX_PRIMARIES) {
        failed(
          new TopologyError(
            `redis: the cluster has ${announced.size} primaries, and a process connects to ${MAX_PRIMARIES}: the others' keys are not cached; use fewer, larger shards`,
          ),
        );
        break;
      }
      const node = known ?? openNode(primary);
      node.slots = primary.slots;
      nodes.set(address, node);
      for (const { from, to } of primary.slots)
        for (let slot = from; slot <= to; slot += 1) routes[slot] = node;
    }
    bySlot = routes;
    waiting.resolveAll();
  };

  /** @returns whether the node told which primary has which slots. */
  const learnFrom = async (connection: SingleConnection): Promise<boolean> => {
    try {
      const reply = await connection.send(['CLUSTER', 'SLOTS']);
      if (!ended) apply(primariesOf(reply, endpoint.hostname));
      return true;
    } catch (error) {
      if (connection === seed) failed(withRemedy(error as Error));
      return false;
    }
  };

  const refresh = async (): Promise<void> => {
    if (refreshing || ended) return;
    refreshing = true;
    clearTimeout(again);
    try {
      for (const { connection } of nodes.values()) {
        if (connection.connections > 0 && (await learnFrom(connection))) return;
      }
      if (!ended) askSeed();
    } finally {
      refreshing = false;
    }
  };

  const askSeed = () => {
    seed ??= connectSingle({
      ...options,
      onReady: () => void learn(),
      onError(error) {
        failed(error);
        // The host of the URL may be gone for good while a known node is back.
        if (nodes.size > 0) void refresh();
      },
    });
    const asked = seed;
    const learn = async () => {
      if (asked !== seed || (await learnFrom(asked)) || ended) return;
      clearTimeout(again);
      again = setTimeout(learn, ASK_AGAIN_AFTER_MS);
    };
  };

  const nodeOf = (command: Command): Node | undefined => {
    const key = keyOf(command);
    if (key !== undefined) return bySlot[slotOf(key)];
    let any: Node | undefined;
    for (const node of nodes.values()) {
      if (node.connection.connections > 0) return node;
      any ??= node;
    }
    return any;
  };

  const sendWhenKnown = async (beganAt: number, command: Command): Promise<unknown> => {
    if (ended) throw unavailable('no connection', lastError);
    if (bySlot.length === 0) await waiting.wait(waitForConnectionMs, unknown);
    const node = nodeOf(command);
    if (node) return node.connection.sendSince(beganAt, command);
    void refresh();
    throw unavailable('no known primary serves the slot', lastError);
  };

  /** Follows one redirection, within the time of the command. */
  const followed = async (reply: Promise<unknown>, command: Command): Promise<unknown> => {
    const beganAt = performance.now();
    try {
      return await reply;
    } catch (error) {
      if (!(error instanceof ErrorReply)) throw error;
      const redirection = redirectionOf(error.message);
      if (redirection?.kind === 'MOVED' || error.message.startsWith('CLUSTERDOWN ')) void refresh();
      const target = redirection && nodes.get(redirection.address)?.connection;
      if (!target) throw error;
      if (redirection.kind === 'MOVED') return target.sendSince(beganAt, command);
      const [, answer] = await Promise.all([
        target.sendSince(beganAt, ['ASKING']),
        target.sendSince(beganAt, command),
      ]);
      return answer;
    }
  };

  askSeed();

  return {
    send(command) {
      const node = nodeOf(command);
      return node
        ? followed(node.connection.send(command), command)
        : sendWhenKnown(performance.now(), command);
    },
    async ready(timeoutMs = waitForConnectionMs) {
      const beganAt = performance.now();
      if (ended) throw unavailable('no connection', lastError);
      const leftMs = () => Math.max(0, timeoutMs - (performance.now() - beganAt));
      // Rejects, too, when the seed is given up.
      if (bySlot.length === 0) await seed?.ready(timeoutMs);
      if (bySlot.length === 0) await waiting.wait(leftMs(), unknown);
      await Promise.all([...nodes.values()].map(({ connection }) => connection.ready(leftMs())));
    },
    primaries: () => Array.from(nodes.values(), ({ primary }) => primary),
    urlOf: (command) => nodeOf(command)?.url ?? url,
    get connections() {
      let sum = seed?.connections ?? 0;
      for (const { connection } of nodes.values()) sum += connection.connections;
      return sum;
    },
    longestWaitMs: waitForConnectionMs + deadlineMs,
    clustered: true,
    close() {
      if (ended) return;
      ended = true;
      lastError = new Error('closed');
      clearTimeout(again);
      seed?.close();
      for (const { connection } of nodes.values()) connection.close();
      waiting.rejectAll(unavailable('no connection', lastError));
    },
  };
}

function withRemedy(error: Error): Error {
  if (!/cluster support disabled/.test(error.message)) return error;
  return new TopologyError(
    `redis: REDIS_CLUSTER is set, and the server is none of a cluster; unset REDIS_CLUSTER`,
    { cause: error },
  );
}

import { createHash } from 'node:crypto';
import type { RedisOptions } from '../../redis/connection.ts';
import { endpointOf, urlOfNode } from '../../redis/endpoint.ts';
import { openRaw, type RawConnection } from '../../redis/raw/raw-connection.ts';
import { primariesOf } from '../../redis/topology.ts';
import { FlushRefusedError } from '../errors.ts';

/** A primary, and the connection of one pass to it. */
export interface Server {
  readonly connection: RawConnection;
  /** Of this life of the server: a restart draws a new one. In a cluster with the layout of the slots, another of which is another share of the keys. */
  readonly runId: string;
  /** Whether it is still that life which answers. */
  stillLives(): Promise<boolean>;
  /** How many keys it holds. */
  readonly keys: number;
  /** The shortest way there and back that was seen, in milliseconds. */
  readonly roundTripMs: number;
  /** Whether a command may name keys of one slot only. */
  readonly clustered: boolean;
}

export interface Servers {
  readonly all: readonly Server[];
  /** Whether each slot is still where it was, and none is on its way. */
  unmoved(): Promise<boolean>;
  close(): void;
}

/** Which Redis, and who asks. */
export type Target = Pick<RedisOptions, 'url' | 'cluster' | 'iam' | 'ca'>;

export interface OpenOptions {
  readonly target: Target;
  /** How the connections are named in CLIENT LIST. */
  readonly name: string;
  readonly connectTimeoutMs: number;
  readonly silenceMs: number;
}

const ROUND_TRIPS = 3;

/** Connects to the server, or to each primary of the cluster. @throws what `openRaw` does; what Redis answers. */
export async function openServers({ target, ...options }: OpenOptions): Promise<Servers> {
  const { url, iam, ca, cluster = false } = target;
  const opened: RawConnection[] = [];
  let closed = false;
  const open = async (at: string) => {
    const connection = await openRaw({ ...options, url: at, iam, ca });
    opened.push(connection);
    // One that was slower than the failure of another.
    if (closed) connection.close();
    return connection;
  };
  const close = () => {
    closed = true;
    for (const connection of opened) connection.close();
  };
  try {
    const first = await open(url);
    if (!cluster) {
      return { all: [await describe(first)], unmoved: async () => true, close };
    }
    const endpoint = endpointOf(url);
    const slots = async () => primariesOf(await first.send(['CLUSTER', 'SLOTS']), endpoint.hostname);
    const primaries = await slots();
    const layout = fingerprint(primaries);
    const connections = await Promise.all(
      Array.from(primaries.values(), (primary) => open(urlOfNode(endpoint, primary))),
    );
    return {
      all: await Promise.all(connections.map((connection) => describe(connection, layout))),
      async unmoved() {
        return fingerprint(await slots()) === layout && !(await moving(connections));
      },
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** Whether a slot is being moved: its keys are on both sides, each of which tells only its own part (`[42->-id]`). */
async function moving(connections: readonly RawConnection[]): Promise<boolean> {
  const told = await Promise.all(connections.map(({ send }) => send(['CLUSTER', 'NODES'])));
  return told.some((nodes) => /\[\d+-[<>]-/.test(String(nodes)));
}

/** Which slots are where, in a few letters. */
function fingerprint(primaries: ReturnType<typeof primariesOf>): string {
  const sorted = [...primaries].sort(([one], [other]) => (one < other ? -1 : 1));
  return createHash('sha1').update(JSON.stringify(sorted)).digest('hex').slice(0, 12);
}

/** @throws FlushRefusedError for one node of a cluster that would be taken for all of it. */
async function describe(connection: RawConnection, layout?: string): Promise<Server> {
  let roundTripMs = Number.POSITIVE_INFINITY;
  let about = '';
  for (let index = 0; index < ROUND_TRIPS; index += 1) {
    const beganAt = performance.now();
    about = await askAbout(connection);
    roundTripMs = Math.min(roundTripMs, performance.now() - beganAt);
  }
  if (layout === undefined && /^(redis|server)_mode:cluster/m.test(about)) {
    throw new FlushRefusedError(
      'redis: the server is one of a cluster, and holds a share of the keys; set REDIS_CLUSTER=1',
    );
  }
  const keyspace = String(await connection.send(['INFO', 'keyspace']));
  const counts = Array.from(keyspace.matchAll(/^db\d+:keys=(\d+)/gm), ([, count]) => Number(count));
  const runId = runIdIn(about);
  return {
    ...{ connection, roundTripMs },
    clustered: layout !== undefined,
    runId: layout === undefined ? runId : `${runId}_${layout}`,
    stillLives: async () => runIdIn(await askAbout(connection)) === runId,
    keys: counts.reduce((sum, count) => sum + count, 0),
  };
}

const askAbout = async ({ send }: RawConnection): Promise<string> => String(await send(['INFO', 'server']));
const runIdIn = (about: string): string => /^run_id:(\w+)/m.exec(about)?.[1] ?? '';

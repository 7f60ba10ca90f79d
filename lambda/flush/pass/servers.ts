import type { RedisOptions } from '../../redis/connection.ts';
import { endpointOf, urlOfNode } from '../../redis/endpoint.ts';
import { openRaw, type RawConnection } from '../../redis/raw/raw-connection.ts';
import { primariesOf } from '../../redis/topology.ts';

/** A primary, and the connection of one pass to it. */
export interface Server {
  readonly connection: RawConnection;
  /** Of this life of the server: a restart draws a new one. */
  readonly runId: string;
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
  const open = async (at: string) => {
    const connection = await openRaw({ ...options, url: at, iam, ca });
    opened.push(connection);
    return connection;
  };
  const close = () => {
    for (const connection of opened) connection.close();
  };
  try {
    const first = await open(url);
    if (!cluster) {
      return { all: [await describe(first, false)], unmoved: async () => true, close };
    }
    const endpoint = endpointOf(url);
    const slots = async () => primariesOf(await first.send(['CLUSTER', 'SLOTS']), endpoint.hostname);
    const primaries = await slots();
    const connections = await Promise.all(
      Array.from(primaries.values(), (primary) => open(urlOfNode(endpoint, primary))),
    );
    return {
      all: await Promise.all(connections.map((connection) => describe(connection, true))),
      async unmoved() {
        return fingerprint(await slots()) === fingerprint(primaries) && !(await moving(connections));
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

const fingerprint = (primaries: ReturnType<typeof primariesOf>): string =>
  JSON.stringify([...primaries].sort(([one], [other]) => (one < other ? -1 : 1)));

async function describe(connection: RawConnection, clustered: boolean): Promise<Server> {
  let roundTripMs = Number.POSITIVE_INFINITY;
  for (let index = 0; index < ROUND_TRIPS; index += 1) {
    const beganAt = performance.now();
    await runIdOf(connection);
    roundTripMs = Math.min(roundTripMs, performance.now() - beganAt);
  }
  const keyspace = String(await connection.send(['INFO', 'keyspace']));
  const counts = Array.from(keyspace.matchAll(/^db\d+:keys=(\d+)/gm), ([, count]) => Number(count));
  return {
    ...{ connection, clustered, roundTripMs },
    runId: await runIdOf(connection),
    keys: counts.reduce((sum, count) => sum + count, 0),
  };
}

/** Which life of which server this is. */
export async function runIdOf(connection: RawConnection): Promise<string> {
  return /^run_id:(\w+)/m.exec(String(await connection.send(['INFO', 'server'])))?.[1] ?? '';
}

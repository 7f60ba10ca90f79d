import { setTimeout as sleep } from 'node:timers/promises';
import { CutoverError } from '../contract/errors.ts';
import type { Primary } from '../redis/connection.ts';
import { ALL_SLOTS, slotOf } from '../redis/slot.ts';
import type { Send } from './redis-store.ts';

/** This Redis may have lost invalidations that it confirmed, and nobody has repeated them yet. */
export class ReplayPendingError extends CutoverError {
  override readonly name = 'ReplayPendingError';
  readonly code = 'CUTOVER_REPLAY_PENDING';
}

/** Whether the cache may be read and filled. */
export interface ReplayGate {
  /** Whether every server was asked since its connection, and the outbox is replayed to it. */
  isOpen(): boolean;
  /**
   * Closes, and asks whether this is the server that the outbox was last replayed to; opens when it is. To be called on each
   * new connection before anything else is sent on it. Resolves with the first answer, and never rejects.
   */
  connected(primary: Primary): Promise<void>;
  /** Until the next connection. */
  close(): void;
}

export interface ReplayGateOptions {
  /**
   * Repeats what the outbox remembers; false while another process does so. Without it, somebody else has to.
   * @param isFirst whether no life of this server is known that it was replayed to.
   */
  readonly replay?: ((isFirst: boolean) => Promise<boolean>) | undefined;
  /** The servers that are in use now; one that has gone is not asked again. Default: all that have ever connected. */
  readonly primaries?: () => readonly Primary[];
  readonly onError?: (error: unknown) => void;
  readonly askAgainAfterMs?: number;
}

/** The key that says to which life of a server the outbox was last replayed. */
export const REPLAYED = 'cutover:replayed';

export function createReplayGate(options: ReplayGateOptions = {}): ReplayGate {
  const { replay, primaries, onError = () => {}, askAgainAfterMs = 1000 } = options;
  /** Per server the number of its latest connection, until that one has been found replayed. */
  const unsure = new Map<Primary, number>();
  let connections = 0;
  let hasSeenMark = false;
  let closed = false;

  const isReplayed = async (primary: Primary): Promise<boolean> => {
    const markKey = markKeyOf(primary);
    const { life, mark } = await lifeOf(primary, markKey);
    hasSeenMark ||= mark !== null;
    // Where nothing has been replayed ever, nothing has run yet; a mark that was there and is gone went with the invalidations.
    if (mark === life || (mark === null && !replay && !hasSeenMark)) return true;
    if (!(await replay?.(mark === null))) return false;
    await primary.send(['SET', markKey, life]);
    return true;
  };

  /** @returns whether there is nothing more to ask on this connection. */
  const check = async (primary: Primary, connection: number): Promise<boolean> => {
    const isOver = () => closed || unsure.get(primary) !== connection;
    try {
      const replayed = await isReplayed(primary);
      if (!isOver() && replayed) unsure.delete(primary);
    } catch (error) {
      if (!isOver()) onError(error);
    }
    if (primaries && !primaries().includes(primary)) unsure.delete(primary);
    return isOver();
  };

  return {
    isOpen: () => !closed && connections > 0 && unsure.size === 0,
    async connected(primary) {
      closed = false;
      connections += 1;
      const connection = connections;
      unsure.set(primary, connection);
      if (await check(primary, connection)) return;
      void (async () => {
        do await sleep(askAgainAfterMs, undefined, { ref: false });
        while (!(await check(primary, connection)));
      })();
    },
    close() {
      closed = true;
    },
  };
}

/** The one server of a client that knows of no cluster. */
export const soleServer = (send: Send): Primary => ({ send, slots: ALL_SLOTS });

/** To which life of a server the outbox was last replayed, null if to none, and which life it lives. @throws what Redis throws. */
export async function replayStateOf(
  primary: Primary,
): Promise<{ readonly mark: string | null; readonly life: string }> {
  return lifeOf(primary, markKeyOf(primary));
}

/** A key that this server holds: in a cluster each has one in a slot of its own. */
function markKeyOf({ slots }: Primary): string {
  const holds = (key: string) => slots.some(({ from, to }) => slotOf(key) >= from && slotOf(key) <= to);
  let key = REPLAYED;
  for (let number = 1; !holds(key) && number <= MAX_NUMBER; number += 1) key = `${REPLAYED}:{${number}}`;
  return key;
}

/** Every slot is some number's among so many: 16384 slots, drawn by a hash. */
const MAX_NUMBER = 500_000;

/** Which life of a server this is: a restart draws a new run id, a failover a new replication id. */
async function lifeOf({ send }: Primary, markKey: string) {
  const [mark, server, replication] = await Promise.all([
    send(['GET', markKey]),
    send(['INFO', 'server']),
    send(['INFO', 'replication']),
  ]);
  const runId = /run_id:(\w+)/.exec(String(server))?.[1];
  const replicationId = /master_replid:(\w+)/.exec(String(replication))?.[1];
  if (!runId || !replicationId)
    throw new ReplayPendingError('cache: INFO names no run_id or master_replid; grant +info');
  return { mark: mark === null ? null : String(mark), life: `${runId}:${replicationId}` };
}

/** Sends only while the gate is open; an answer that arrives after it has closed may be of the server that is not replayed. */
export function throughGate(send: Send, gate: Pick<ReplayGate, 'isOpen'>): Send {
  const refused = () =>
    Promise.reject(
      new ReplayPendingError(
        'cache: this Redis is new or was restarted, and what it may have forgotten is not replayed yet',
      ),
    );
  const whileOpen = (reply: unknown) => (gate.isOpen() ? reply : refused());
  return (command) => (gate.isOpen() ? send(command).then(whileOpen) : refused());
}

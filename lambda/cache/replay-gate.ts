import { setTimeout as sleep } from 'node:timers/promises';
import { CutoverError } from '../contract/errors.ts';
import type { Send } from './redis-store.ts';

/** This Redis may have lost invalidations that it confirmed, and nobody has repeated them yet. */
export class ReplayPendingError extends CutoverError {
  override readonly name = 'ReplayPendingError';
  readonly code = 'CUTOVER_REPLAY_PENDING';
}

/** A server that writes go to. */
export interface Primary {
  readonly send: Send;
  /** The key that says to which life of this server the outbox was last replayed. */
  readonly markKey: string;
}

/** Whether the cache may be read and filled. */
export interface ReplayGate {
  isOpen(): boolean;
  /**
   * Closes, and asks whether these servers are those that the outbox was last replayed to; opens when they are. To be called
   * on each new connection before anything is sent on it. Resolves with the first answer, and never rejects.
   */
  connected(): Promise<void>;
  close(): void;
}

export interface ReplayGateOptions {
  readonly primaries: () => readonly Primary[];
  /** Repeats what the outbox remembers; false while another process does so. Without it, somebody else has to. */
  readonly replay?: (() => Promise<boolean>) | undefined;
  readonly onError?: (error: unknown) => void;
  readonly askAgainAfterMs?: number;
}

/** The key of a single server, and of the first one of a cluster. */
export const REPLAYED = 'cutover:replayed';

export function createReplayGate(options: ReplayGateOptions): ReplayGate {
  const { primaries, replay, onError = () => {}, askAgainAfterMs = 1000 } = options;
  let open = false;
  /** Counts the calls of `connected`: a check of an older connection says nothing of this one. */
  let latest = 0;

  const isReplayed = async (): Promise<boolean> => {
    const lives = await Promise.all(primaries().map(lifeOf));
    // Where nothing has been replayed ever, nothing has run yet.
    const behind = lives.filter(({ life, mark }) => mark !== life && (mark !== null || replay));
    if (behind.length === 0) return true;
    if (!(await replay?.())) return false;
    await Promise.all(behind.map(({ primary, life }) => primary.send(['SET', primary.markKey, life])));
    return true;
  };

  const check = async (mine: number): Promise<boolean> => {
    try {
      const replayed = await isReplayed();
      if (mine !== latest) return true;
      open = replayed;
      return replayed;
    } catch (error) {
      if (mine === latest) onError(error);
      return mine !== latest;
    }
  };

  return {
    isOpen: () => open,
    async connected() {
      open = false;
      latest += 1;
      const mine = latest;
      if (await check(mine)) return;
      void (async () => {
        do await sleep(askAgainAfterMs, undefined, { ref: false });
        while (!(await check(mine)));
      })();
    },
    close() {
      open = false;
      latest += 1;
    },
  };
}

/** Which life of a server this is: a restart draws a new run id, a failover a new replication id. */
async function lifeOf(primary: Primary) {
  const [mark, server, replication] = await Promise.all([
    primary.send(['GET', primary.markKey]),
    primary.send(['INFO', 'server']),
    primary.send(['INFO', 'replication']),
  ]);
  const runId = /run_id:(\w+)/.exec(String(server))?.[1];
  const replicationId = /master_replid:(\w+)/.exec(String(replication))?.[1];
  return { primary, mark: mark === null ? null : String(mark), life: `${runId}:${replicationId}` };
}

/** Sends only while the gate is open; an answer that arrives after it has closed may be of the server that is not replayed. */
export function throughGate(send: Send, gate: Pick<ReplayGate, 'isOpen'>): Send {
  const requireOpen = () => {
    if (gate.isOpen()) return;
    throw new ReplayPendingError(
      'cache: this Redis is new or was restarted, and what it may have forgotten is not replayed yet',
    );
  };
  return async (command) => {
    requireOpen();
    const reply = await send(command);
    requireOpen();
    return reply;
  };
}

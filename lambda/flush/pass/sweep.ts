import { setTimeout as sleep } from 'node:timers/promises';
import { FlushInterruptedError, isNotYet, isPassing, withRemedy } from '../errors.ts';
import { paced } from './pace.ts';
import type { Page } from './page.ts';
import { openServers, type Server, type Target } from './servers.ts';
import { type Follow, walk } from './walk.ts';

/** What is done in one pass over the keys of one server. */
export interface Pass {
  /** As `walk` calls it. */
  visit(page: Page): Follow | undefined;
  /** Called when all keys were seen, on the connection of the pass. */
  finish?(): Promise<void>;
  /** Called when the pass has failed: another one begins from the beginning. */
  discard(): void;
}

/** How far a pass came. It is worth something on this very server only. */
export interface Position {
  readonly runId: string;
  /** Where to go on; '0' when all was seen. */
  readonly cursor: string;
}

export interface SweepOptions {
  readonly target: Target;
  /** The command, as CLIENT LIST and messages name it. */
  readonly name: string;
  /** For how long others may wait because of it; 0 for as fast as the server goes. */
  readonly maxLatencyMs: number;
  readonly limitSeconds: number;
  /** Where an earlier sweep stopped. */
  readonly from?: readonly Position[];
  readonly signal?: AbortSignal | undefined;
  /** Looks at a server before its pass, which it can refuse. */
  readonly prepare?: (server: Server) => Promise<void>;
  /** Begins a pass; one that was begun on the server before is void. @param resumed whether it goes on where an earlier sweep stopped. */
  readonly begin: (server: Server, resumed: boolean) => Pass;
  /** Told when a pass has to be begun again. */
  readonly onRestart?: (why: Error) => void;
}

export interface SweepResult {
  /** Whether every key was seen; else time was up, or it was aborted. */
  readonly complete: boolean;
  readonly positions: readonly Position[];
  readonly restarts: number;
}

/** R6, for a tool, which can wait longer than a request. */
const CONNECT_TIMEOUT_MS = 10_000;
const SILENCE_MS = 10_000;
const ATTEMPTS = 3;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 2000;
/** What is under way when time is up may end by itself for so long. */
const GRACE_MS = 500;

/**
 * Walks over all keys of a Redis, in a cluster over those of all primaries at once. A connection that is lost, a server that is
 * another one than before, or slots that move begin the passes concerned again; after three failures in a row without a
 * page between them it gives up. A server that is not ready yet is waited for as long as there is time.
 * @throws RedisUnavailableError; FlushInterruptedError; FlushRefusedError; ConfigurationError; what `prepare` and a pass throw.
 */
export async function sweep(options: SweepOptions): Promise<SweepResult> {
  const { name, limitSeconds, from = [], signal, onRestart = () => {} } = options;
  const endsAt = performance.now() + limitSeconds * 1000;
  const leftMs = () => Math.max(0, endsAt - performance.now());
  const stopped = () => leftMs() === 0 || signal?.aborted === true;
  const positions = new Map(from.map(({ runId, cursor }) => [runId, cursor]));
  /** By server: what the passes of servers that are gone have counted is void, too. */
  const passes = new Map<string, Pass>();
  let pages = 0;
  let restarts = 0;
  const discard = (runId: string) => {
    passes.get(runId)?.discard();
    passes.delete(runId);
    positions.delete(runId);
  };
  const anotherServer = () =>
    new FlushInterruptedError(
      `${name}: another server answers than at the beginning, so keys may have been missed; run it again`,
    );

  const passOver = async (server: Server) => {
    const { connection, runId, roundTripMs } = server;
    const cursor = positions.get(runId);
    if (cursor === '0') return;
    // One that is begun again begins at the beginning.
    positions.delete(runId);
    await options.prepare?.(server);
    const pass = options.begin(server, cursor !== undefined);
    passes.set(runId, pass);
    const { maxLatencyMs } = options;
    const pace = maxLatencyMs > 0 ? paced({ maxLatencyMs, roundTripMs }) : undefined;
    const visit = (page: Page) => {
      pages += 1;
      return pass.visit(page);
    };
    try {
      const reached = await walk({ connection, pace, cursor: cursor ?? '0', visit, stopped });
      if (!(await server.stillLives())) throw anotherServer();
      if (reached === '0') await pass.finish?.();
      positions.set(runId, reached);
    } catch (error) {
      if (!stopped()) discard(runId);
      throw error;
    }
  };

  const attempt = async (): Promise<readonly Server[]> => {
    const servers = await openServers({
      ...{ target: options.target, name: `cutover-${name}`, silenceMs: SILENCE_MS },
      connectTimeoutMs: Math.round(Math.min(CONNECT_TIMEOUT_MS, leftMs() + GRACE_MS)),
    });
    const timers = [setTimeout(servers.close, leftMs() + GRACE_MS)];
    const onAbort = () => timers.push(setTimeout(servers.close, GRACE_MS));
    signal?.addEventListener('abort', onAbort);
    try {
      const present = new Set(servers.all.map(({ runId }) => runId));
      // Positions, too: an earlier sweep's may be of a server that is gone.
      for (const runId of [...passes.keys(), ...positions.keys()]) if (!present.has(runId)) discard(runId);
      // All of them to their end: what one has done stays done while another begins again.
      const ended = await Promise.allSettled(servers.all.map(passOver));
      const failed = ended.find((each) => each.status === 'rejected');
      if (failed) throw failed.reason;
      const seenAll = servers.all.every(({ runId }) => positions.get(runId) === '0');
      if (seenAll && !(await servers.unmoved())) {
        for (const { runId } of servers.all) discard(runId);
        throw new FlushInterruptedError(
          `${name}: slots of the cluster are being moved, so keys may have been missed; run it again when redis-cli --cluster check finds none, or finish with --cluster fix`,
        );
      }
      return servers.all;
    } finally {
      timers.forEach(clearTimeout);
      signal?.removeEventListener('abort', onAbort);
      servers.close();
    }
  };

  const result = (complete: boolean): SweepResult => ({
    complete,
    positions: Array.from(positions, ([runId, cursor]) => ({ runId, cursor })),
    restarts,
  });

  for (let failures = 0; ; ) {
    const pagesBefore = pages;
    try {
      const servers = await attempt();
      return result(servers.every(({ runId }) => positions.get(runId) === '0'));
    } catch (error) {
      if (!isPassing(error)) throw withRemedy(error, name);
      failures = pages > pagesBefore ? 1 : failures + 1;
      const waitMs = Math.min(FIRST_WAIT_MS * 2 ** (failures - 1), LONGEST_WAIT_MS, leftMs());
      // Why it got no further is told in `onRestart`.
      if (stopped() && pages > 0) {
        onRestart(error as Error);
        return result(false);
      }
      if (stopped() || (failures >= ATTEMPTS && !isNotYet(error))) throw withRemedy(error, name);
      restarts += 1;
      onRestart(error as Error);
      await sleep(waitMs, undefined, { signal }).catch(() => {});
    }
  }
}

import { createRedisClient } from './client.ts';
import type { Command, Primary, RedisConnection, RedisOptions } from './connection.ts';
import { createDeadline, DeadlineError, type Observer } from './deadline.ts';
import { endpointOf } from './endpoint.ts';
import { explained, unavailable } from './errors.ts';
import { type IamCredentials, iamCredentials } from './iam.ts';
import { ErrorReply } from './node-redis.ts';
import { ASK_ROLE, isReplica, watchRole } from './role.ts';
import { ALL_SLOTS } from './slot.ts';
import { createSocketEnd, type SocketEnd } from './socket-end.ts';
import { createThawCheck, PROOF_SHARE } from './thaw.ts';
import { createWaiters } from './waiters.ts';

/** A connection to one server. */
export interface SingleConnection extends RedisConnection {
  /** `send` for a command that has waited already: its budget began at `beganAt` of `performance.now()`. */
  sendSince(beganAt: number, command: Command): Promise<unknown>;
}

const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 2000;
/** No reply for so long: the server is frozen, or the peer is gone and TCP does not know yet. */
const MAX_SILENCE_MS = 1000;
/** DNS follows a failover after seconds: a demoted primary is left no more often than this. */
const DEMOTED_AGAIN_AFTER_MS = 1000;

/**
 * One connection to one Redis.
 * @throws ConfigurationError for a URL that is not one of Redis.
 */
export function connectSingle({
  url,
  name,
  iam,
  ca,
  cluster = false,
  anyRole = cluster,
  connectTimeoutMs = 2000,
  waitForConnectionMs = 100,
  deadlineMs = 150,
  binary = false,
  maxAttempts = Number.POSITIVE_INFINITY,
  now = Date.now,
  onReady = () => {},
  onError = () => {},
}: RedisOptions): SingleConnection {
  const endpoint = endpointOf(url);
  const tls = endpoint.protocol === 'rediss:';
  const budgetMs = waitForConnectionMs + deadlineMs;
  const bounded = createDeadline(deadlineMs);
  const proofBounded = createDeadline(PROOF_SHARE * budgetMs);
  const waiting = createWaiters();
  const user = decodeURIComponent(endpoint.username);
  let credentials: IamCredentials | undefined;
  let attempts = 0;
  /** When the first reply was missed since the last one that came. */
  let silentSince: number | undefined;
  let demotedAt = Number.NEGATIVE_INFINITY;
  /** The server was a replica when it was last asked: nothing is read there. */
  let demoted = false;
  let lastError: Error | undefined;
  /** Given up, or closed: no attempt follows. */
  let ended = false;
  let closed = false;
  let sockets = 0;
  /** Ends the socket of the connection in use. */
  let socketEnd: SocketEnd;
  /** Judges the connection in use by what becomes of its commands. */
  let judge: Observer;

  const giveUp = (error: Error) => {
    ended = true;
    asking.end();
    waiting.rejectAll(unavailable('no connection', error));
  };

  const open = () => {
    sockets = 0;
    const own = createSocketEnd();
    socketEnd = own;
    credentials?.dispose();
    credentials = iam && iamCredentials(iam, { user, onError });
    const client = createRedisClient({
      ...{ url, name, binary, ca, connectTimeoutMs, credentials, signal: own.signal },
      retry(retries, cause) {
        own.forget();
        attempts += 1;
        if (!ended && attempts < maxAttempts) {
          return Math.min(FIRST_RETRY_MS * 2 ** retries, LONGEST_RETRY_MS);
        }
        if (!ended) giveUp(explain(cause));
        return false;
      },
    });
    let handshake: NodeJS.Timeout | undefined;
    const explain = (error: Error) =>
      explained(error, { tls, iam: iam !== undefined, handshaking: handshake !== undefined });
    client.on('connect', () => {
      if (ended || client !== current) return;
      sockets = 1;
      // The library bounds the opening only: a server that accepts and is silent would hold it for ever.
      handshake = setTimeout(
        () => replace(new Error(`no handshake within ${connectTimeoutMs} ms`)),
        connectTimeoutMs,
      );
      handshake.unref();
    });
    client.on('ready', () => {
      clearTimeout(handshake);
      handshake = undefined;
      attempts = 0;
      if (demoted) thaw.doubt();
      else thaw.used();
      onReady(primary);
      waiting.resolveAll();
    });
    client.on('error', (error: Error) => {
      const told = explain(error);
      clearTimeout(handshake);
      handshake = undefined;
      if (client !== current) return;
      sockets = 0;
      lastError = told;
      if (!closed) onError(told);
    });
    // Rejects when it is given up or replaced, and both are known already.
    client.connect().catch(() => {});
    judge = {
      answered: () => {
        silentSince = undefined;
      },
      failed: (error) => distrust(client, error),
    };
    return client;
  };

  /** In this order: the library tries again what ends otherwise. */
  const drop = (client: typeof current, { end }: SocketEnd) => {
    client.destroy();
    end();
  };

  const replace = (error: Error) => {
    if (ended) return;
    const left = [current, socketEnd] as const;
    lastError = error;
    attempts += 1;
    onError(error);
    if (attempts >= maxAttempts) giveUp(error);
    else current = open();
    drop(...left);
  };

  const thaw = createThawCheck({
    now,
    async prove() {
      const asked = current;
      try {
        const alive = asked.sendCommand(['PING']);
        const role = anyRole ? undefined : asked.sendCommand(ASK_ROLE);
        const [, reply] = await proofBounded(Promise.all([alive, role]));
        judgeRole(asked, reply);
        silentSince = undefined;
      } catch (error) {
        // An error that is a reply proves as much; after any other the library reconnects by itself.
        if (error instanceof DeadlineError && asked === current) replace(error);
        // Who may not ask learns it from READONLY.
        if (error instanceof ErrorReply) demoted = false;
      }
      return !demoted;
    },
  });
  let current: ReturnType<typeof open>;
  current = open();

  /** What a failed command says about the connection that carried it. */
  const distrust = (asked: typeof current, error: unknown) => {
    const missed = error instanceof DeadlineError && asked === current;
    silentSince = missed ? (silentSince ?? performance.now()) : undefined;
    if (missed && performance.now() - (silentSince ?? 0) >= MAX_SILENCE_MS) {
      // It would keep each command until TCP gives up, which takes minutes.
      silentSince = undefined;
      replace(error);
    } else if (isDemoted(error) && asked === current) leave(error);
  };

  /** Leaves a server that was demoted: a new connection asks DNS again, which names the new primary. */
  const leave = (error: Error) => {
    demoted = !anyRole;
    if (demoted) thaw.doubt();
    if (performance.now() - demotedAt < DEMOTED_AGAIN_AFTER_MS) return;
    demotedAt = performance.now();
    replace(error);
  };

  const judgeRole = (asked: typeof current, reply: unknown) => {
    if (anyRole || asked !== current) return;
    if (isReplica(reply)) leave(unavailable('the server is a replica', undefined));
    else demoted = false;
  };

  const asking = watchRole(async () => {
    const asked = current;
    // After a pause the next command is preceded by a proof, which asks, too.
    if (anyRole || !asked.isReady || thaw.isIdle()) return;
    judgeRole(asked, await bounded(asked.sendCommand(ASK_ROLE), judge));
  });

  const ready = async (timeoutMs = waitForConnectionMs) => {
    if (current.isReady) return;
    if (ended) throw unavailable('no connection', lastError);
    await waiting.wait(timeoutMs, () => unavailable(`no connection within ${timeoutMs} ms`, lastError));
  };

  const sendSince = async (beganAt: number, command: Command): Promise<unknown> => {
    const leftMs = () => Math.max(0, Math.round(budgetMs - (performance.now() - beganAt)));
    if (current.isReady && !thaw.awake()) await thaw.proven();
    if (!current.isReady) {
      await ready(Math.min(waitForConnectionMs, leftMs()));
      if (demoted) await thaw.proven();
    }
    if (demoted) throw unavailable('the server is a replica', lastError);
    const replyMs = leftMs();
    if (replyMs === 0) throw unavailable(`no time left of ${budgetMs} ms`, lastError);
    const within = replyMs < deadlineMs ? createDeadline(replyMs) : bounded;
    return within(current.sendCommand(command), judge);
  };

  const send = (command: Command): Promise<unknown> =>
    current.isReady && thaw.awake()
      ? bounded(current.sendCommand(command), judge)
      : sendSince(performance.now(), command);

  const primary: Primary = { send, slots: ALL_SLOTS };

  return {
    send,
    sendSince,
    ready,
    primaries: () => [primary],
    urlOf: () => url,
    longestWaitMs: budgetMs,
    get connections() {
      return sockets;
    },
    clustered: false,
    close() {
      closed = true;
      if (!ended) giveUp(new Error('closed'));
      credentials?.dispose();
      sockets = 0;
      drop(current, socketEnd);
    },
  };
}

function isDemoted(error: unknown): error is ErrorReply {
  return error instanceof ErrorReply && error.message.startsWith('READONLY ');
}

import { ErrorReply } from '@redis/client';
import { createRedisClient } from './client.ts';
import type { Command, Primary, RedisConnection, RedisOptions } from './connection.ts';
import { createDeadline, DeadlineError, type Observer } from './deadline.ts';
import { endpointOf } from './endpoint.ts';
import { explained, unavailable } from './errors.ts';
import { type IamCredentials, iamCredentials } from './iam.ts';
import { ALL_SLOTS } from './slot.ts';
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
  let lastError: Error | undefined;
  /** Given up, or closed: no attempt follows. */
  let ended = false;
  let closed = false;
  let opening = false;
  let sockets = 0;
  /** Judges the connection in use by what becomes of its commands. */
  let judge: Observer;

  const giveUp = (error: Error) => {
    ended = true;
    waiting.rejectAll(unavailable('no connection', error));
  };

  const open = () => {
    /** While a socket is being opened the library cannot be told to drop it. */
    opening = true;
    sockets = 0;
    credentials?.dispose();
    credentials = iam && iamCredentials(iam, { user, onError });
    const client = createRedisClient({
      ...{ url, name, binary, ca, connectTimeoutMs, credentials },
      retry(retries, cause) {
        attempts += 1;
        opening = false;
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
    client.on('reconnecting', () => {
      opening = true;
    });
    client.on('connect', () => {
      opening = false;
      if (ended || client !== current) return client.destroy();
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
      thaw.used();
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

  const replace = (error: Error) => {
    if (ended) return;
    const left = current;
    lastError = error;
    attempts += 1;
    onError(error);
    if (attempts >= maxAttempts) giveUp(error);
    else current = open();
    left.destroy();
  };

  const thaw = createThawCheck({
    now,
    async prove() {
      const asked = current;
      try {
        await proofBounded(asked.sendCommand(['PING']));
        silentSince = undefined;
      } catch (error) {
        // An error that is a reply proves as much; after any other the library reconnects by itself.
        if (error instanceof DeadlineError && asked === current) replace(error);
      }
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
    } else if (isDemoted(error) && asked === current) {
      if (performance.now() - demotedAt < DEMOTED_AGAIN_AFTER_MS) return;
      demotedAt = performance.now();
      // A new connection asks DNS again, which names the new primary.
      replace(error);
    }
  };

  const ready = async (timeoutMs = waitForConnectionMs) => {
    if (current.isReady) return;
    if (ended) throw unavailable('no connection', lastError);
    await waiting.wait(timeoutMs, () => unavailable(`no connection within ${timeoutMs} ms`, lastError));
  };

  const sendSince = async (beganAt: number, command: Command): Promise<unknown> => {
    const leftMs = () => Math.max(0, Math.round(budgetMs - (performance.now() - beganAt)));
    if (current.isReady && !thaw.awake()) await thaw.proven();
    if (!current.isReady) await ready(Math.min(waitForConnectionMs, leftMs()));
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
    get connections() {
      return sockets;
    },
    clustered: false,
    close() {
      closed = true;
      if (!ended) giveUp(new Error('closed'));
      credentials?.dispose();
      sockets = 0;
      if (current.isOpen && !opening) current.destroy();
    },
  };
}

function isDemoted(error: unknown): error is ErrorReply {
  return error instanceof ErrorReply && error.message.startsWith('READONLY ');
}

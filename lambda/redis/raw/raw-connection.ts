import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Command, RedisOptions } from '../connection.ts';
import { endpointOf } from '../endpoint.ts';
import { explained, unavailable } from '../errors.ts';
import { iamToken } from '../iam.ts';
import { ConnectionTimeoutError, ErrorReply } from '../node-redis.ts';
import { createReplyStream, decode, type RawReply } from './reply-stream.ts';

export { ErrorReply };

export interface RawOptions extends Pick<RedisOptions, 'url' | 'name' | 'iam' | 'ca'> {
  /** How long opening and greeting may take together, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** How long the server may be silent while a reply is due, in milliseconds. */
  readonly silenceMs: number;
}

/** A connection for passes over the whole keyspace. It is never opened again: a SCAN's cursor would be worth nothing. */
export interface RawConnection {
  /**
   * Sends commands that are encoded already, and hands their replies, in order, to `read` as they come; an error of Redis's
   * is a reply, too.
   * @param payload is copied by nobody: leave it alone until the replies have come.
   * @throws RedisUnavailableError when the connection is lost first; what `read` throws.
   */
  exchange(payload: Buffer | string, replies: number, read: (reply: RawReply) => void): Promise<void>;
  /** Sends one command; strings are answered as buffers. @throws as `exchange`; ErrorReply for an error of Redis's. */
  send(command: Command): Promise<unknown>;
  close(): void;
}

interface Due {
  left: number;
  readonly read: (reply: RawReply) => void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const DEFAULT_PORT = 6379;

/**
 * Connects to one server, beside node-redis: its replies are not made into strings first, which is most of a client's time in
 * a pass over a million keys (docs/decisions/0005).
 * @throws ConfigurationError for the URL; RedisUnavailableError, RedisTlsError and RedisAuthError with the remedy.
 */
export async function openRaw(options: RawOptions): Promise<RawConnection> {
  const { url, name, iam, ca, connectTimeoutMs, silenceMs } = options;
  const endpoint = endpointOf(url);
  const tls = endpoint.protocol === 'rediss:';
  const host = endpoint.hostname.replace(/^\[(.*)\]$/, '$1');
  const address = { host, port: Number(endpoint.port || DEFAULT_PORT) };
  const user = decodeURIComponent(endpoint.username);
  const password = iam ? await iamToken(iam, user) : decodeURIComponent(endpoint.password);

  const socket = tls
    ? connectTls({
        ...address,
        ...(isIP(host) === 0 && { servername: host }),
        ...(ca !== undefined && { ca }),
      })
    : connect(address);
  socket.setNoDelay(true);
  const queue = createQueue(socket, (error, greeted) =>
    explained(error, { tls, iam: iam !== undefined, handshaking: !greeted }),
  );
  const late = () => {
    const error = unavailable(`no connection to ${endpoint.host} within ${connectTimeoutMs} ms`, undefined);
    // Of the library's own kind where it may be TLS that is not spoken: its explanation has the remedy.
    socket.destroy(tls ? new ConnectionTimeoutError() : error);
  };
  const timer = setTimeout(late, connectTimeoutMs);
  try {
    if (password) await queue.send(user ? ['AUTH', user, password] : ['AUTH', password]);
    const database = endpoint.pathname.slice(1);
    if (!['', '0'].includes(database)) await queue.send(['SELECT', database]);
    // A name is for people; a user may lack the right to give one. It is also what says that the server answers.
    await queue.send(['CLIENT', 'SETNAME', name]).catch(toleratingRefusal);
  } catch (error) {
    socket.destroy();
    throw error instanceof ErrorReply
      ? explained(error, { tls, iam: iam !== undefined, handshaking: true })
      : error;
  } finally {
    clearTimeout(timer);
  }
  queue.greeted();
  // Not as an argument: it would be called once, and a connection that is idle uses that up.
  socket.setTimeout(silenceMs);
  socket.on('timeout', () => {
    if (queue.waiting()) socket.destroy(unavailable(`no reply within ${silenceMs} ms`, undefined));
  });
  return { exchange: queue.exchange, send: queue.send, close: () => socket.destroy() };
}

function toleratingRefusal(error: unknown): void {
  if (!(error instanceof ErrorReply) || !/^(NOPERM |ERR unknown)/i.test(error.message)) throw error;
}

/** Replies come in the order of the commands. */
function createQueue(socket: Socket, explain: (error: Error, greeted: boolean) => Error) {
  const due: Due[] = [];
  let lost: Error | undefined;
  let greeted = false;

  const fail = (error: Error) => {
    if (lost) return;
    const told = explain(error, greeted);
    lost = told.name.startsWith('Redis')
      ? told
      : unavailable(greeted ? 'the connection is lost' : 'no connection', told);
    for (const { reject } of due.splice(0)) reject(lost);
  };
  const stream = createReplyStream((reply) => {
    const first = due[0];
    if (!first) throw new Error('redis: a reply without a command');
    first.left -= 1;
    if (first.left === 0) due.shift();
    try {
      first.read(reply);
      if (first.left === 0) first.resolve();
    } catch (error) {
      first.reject(error);
    }
  });
  socket.on('data', (chunk: Buffer) => {
    try {
      stream(chunk);
    } catch (error) {
      socket.destroy(error as Error);
    }
  });
  socket.on('error', fail);
  socket.on('close', () => fail(new Error('the server closed the connection')));

  const exchange: RawConnection['exchange'] = (payload, replies, read) =>
    new Promise((resolve, reject) => {
      if (lost) return reject(lost);
      due.push({ left: replies, read, resolve, reject });
      socket.write(payload);
    });
  return {
    exchange,
    waiting: () => due.length > 0,
    greeted() {
      greeted = true;
    },
    async send(command: Command): Promise<unknown> {
      let answer: unknown;
      await exchange(encode(command), 1, (reply) => {
        answer = decode(reply);
      });
      if (answer instanceof Error) throw new ErrorReply(answer.message);
      return answer;
    },
  };
}

/** A command as RESP has it: an array of bulk strings. */
function encode(command: Command): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${command.length}\r\n`)];
  for (const argument of command) {
    const bytes = typeof argument === 'string' ? Buffer.from(argument) : argument;
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'));
  }
  return Buffer.concat(parts);
}

const MINUS = 0x2d;

/** @throws ErrorReply when the reply is an error of Redis's. */
export function requireNoError({ bytes, start, end }: RawReply): void {
  if (bytes[start] === MINUS) throw new ErrorReply(bytes.toString('utf8', start + 1, end - 2));
}

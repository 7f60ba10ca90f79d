import { connect as connectTls } from 'node:tls';
import { ConfigurationError } from '../contract/errors.ts';
import { RedisAuthError, RedisTlsError } from '../redis/errors.ts';
import type { RedisTarget } from '../redis/options.ts';
import { ErrorReply, openRaw, type RawConnection } from '../redis/raw/raw-connection.ts';
import { rootCodeOf } from './codes.ts';
import { type Finding, fail, notRun, pass, warn } from './examination.ts';
import { type Address, isLoopback } from './reach.ts';

/** How a server was greeted: whether TLS is as it should be, and who one is there. */
export interface Greeting {
  readonly tls: Finding;
  readonly login: Finding;
  /** Where both are well. */
  readonly connection?: RawConnection;
}

const PATIENCE_MS = 3000;

/** Connects and logs in. Never rejects. */
export async function greet(target: RedisTarget, address: Address): Promise<Greeting> {
  const isTls = new URL(target.url).protocol === 'rediss:';
  const tls = isTls ? pass('on, and the certificate is trusted') : plain(address);
  const options = { name: 'cutover-doctor', connectTimeoutMs: PATIENCE_MS, silenceMs: PATIENCE_MS };
  let connection: RawConnection | undefined;
  try {
    connection = await openRaw({ ...options, url: target.url, iam: target.iam });
    await connection.send(['PING']).catch(toleratingRefusal);
    return { tls, login: pass(`as ${userOf(target.url)}`), connection };
  } catch (error) {
    connection?.close();
    return refusal(error as Error, { address, isTls, tls });
  }
}

interface Refused {
  readonly address: Address;
  readonly isTls: boolean;
  readonly tls: Finding;
}

async function refusal(error: Error, { address, isTls, tls }: Refused): Promise<Greeting> {
  const told = sentenceOf(error);
  const needsTls = notRun('needs redis tls');
  if (error instanceof RedisTlsError) return { tls: told, login: needsTls };
  // No credentials to sign with.
  if (error instanceof ConfigurationError) return { tls, login: told };
  if (error instanceof RedisAuthError || error instanceof ErrorReply)
    return { tls, login: atLogin(error, told) };
  if (isTls) {
    const silent = fail(
      `no TLS handshake: ${told.text}`,
      'write redis:// if it has no TLS, or name the port that has',
    );
    return { tls: silent, login: needsTls };
  }
  if (await speaksTls(address)) {
    return {
      tls: fail(
        'off in the URL, and the server speaks nothing but TLS',
        `write rediss:// in ${address.variable}`,
      ),
      login: needsTls,
    };
  }
  const isSilent = rootCodeOf(error) === '';
  return {
    tls,
    login: isSilent
      ? fail(`no greeting: ${told.text}`, 'the server is frozen or no Redis; look at its log')
      : told,
  };
}

function atLogin(error: Error, told: Finding): Finding {
  if (/^LOADING /.test(error.message))
    return fail(error.message, 'wait until it has read its data from disk');
  if (/^DENIED /.test(error.message)) {
    return fail('the server is in protected mode', 'give its user a password, or bind it to an address');
  }
  if (/^ERR (DB index|invalid DB index)/.test(error.message)) {
    return fail(error.message, 'name a database that there is at the end of the URL, or none');
  }
  return told;
}

/** An error of ours says after the last semicolon what to do. */
function sentenceOf({ message }: Error): Finding {
  const text = message.replace(/^redis: /, '');
  const at = text.lastIndexOf('; ');
  return at < 0 ? fail(text, 'look at the log of the server') : fail(text.slice(0, at), text.slice(at + 2));
}

function plain({ host, variable }: Address): Finding {
  const remedy = `switch TLS on at the server and write rediss:// in ${variable}`;
  return isLoopback(host)
    ? warn('off; nothing leaves this machine', remedy)
    : fail('off: passwords and values are readable on the way', remedy);
}

/** Whether a TLS handshake gets an answer; whom the certificate is from is no matter here. */
function speaksTls({ host, port }: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTls({ host, port, rejectUnauthorized: false });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(PATIENCE_MS, () => end(false));
    socket.once('secureConnect', () => end(true));
    socket.once('error', () => end(false));
  });
}

function userOf(url: string): string {
  return decodeURIComponent(new URL(url).username) || 'default';
}

/** Who may not PING is known all the same; which right that lacks is another check's. */
function toleratingRefusal(error: unknown): void {
  if (!(error instanceof ErrorReply) || !error.message.startsWith('NOPERM ')) throw error;
}

import type { IncomingMessage } from 'node:http';

/** Why a request is refused. */
export interface Refusal {
  readonly status: 403 | 415 | 421;
  readonly detail: string;
}

const NAMES = ['127.0.0.1', 'localhost', '[::1]'];

/**
 * Whether a request is of this page and not of another one in the same browser: a name that was made to point here (DNS rebinding)
 * has another Host, and a request of a foreign page says where it is from.
 * @returns undefined for one that may be served.
 */
export function refusalOf({ method, headers, socket }: IncomingMessage): Refusal | undefined {
  const { host = '', origin } = headers;
  const hosts = NAMES.map((name) => `${name}:${socket.localPort}`);
  if (!hosts.includes(host)) {
    return {
      status: 421,
      detail: `console: the host ${JSON.stringify(host)} is none of ${hosts.join(', ')}`,
    };
  }
  const site = headers['sec-fetch-site'];
  const isOwnOrigin = origin === `http://${host}`;
  if ((origin !== undefined && !isOwnOrigin) || site === 'cross-site' || site === 'same-site') {
    return {
      status: 403,
      detail: `console: a request of ${origin ?? 'another site'} is not served; open http://${host}`,
    };
  }
  if (method !== 'POST') return undefined;
  if (!isOwnOrigin && site !== 'same-origin') {
    return { status: 403, detail: `console: a POST needs its Origin; it is http://${host}` };
  }
  if (!/^application\/json *(?:;|$)/.test(headers['content-type'] ?? '')) {
    return { status: 415, detail: 'console: a POST needs content-type: application/json' };
  }
  return undefined;
}

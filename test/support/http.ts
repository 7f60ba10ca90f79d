/** HTTP for tests: servers on free ports, and requests whose path is sent byte for byte. */
import { once } from 'node:events';
import { type IncomingHttpHeaders, request, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll } from '@jest/globals';

const opened: Server[] = [];

afterAll(async () => {
  await Promise.all(opened.map(stop));
});

/** Listens on a free loopback port until the test file has ended. @returns the URL, without a slash at its end. */
export async function listen(server: Server): Promise<string> {
  opened.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('listen: no port');
  return `http://127.0.0.1:${address.port}`;
}

export async function stop(server: Server): Promise<void> {
  if (!server.listening) return;
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
}

export interface Question {
  readonly method?: string;
  /** Sent as it is: no client tidies it up. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Buffer;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Sends one request, on a connection of its own. */
export async function ask(
  url: string,
  { method = 'GET', path, headers = {}, body }: Question,
): Promise<Reply> {
  const { hostname, port } = new URL(url);
  const sent = request({ hostname, port, method, path, agent: false });
  for (const [name, value] of Object.entries(headers)) sent.setHeader(name, value);
  // Node frames the body of a GET or a DELETE only when it is told how long it is.
  if (body !== undefined && !sent.hasHeader('transfer-encoding')) {
    sent.setHeader('content-length', Buffer.byteLength(body));
  }
  sent.end(body);
  const [answer] = await once(sent, 'response');
  return { status: answer.statusCode, headers: answer.headers, text: await text(answer) };
}

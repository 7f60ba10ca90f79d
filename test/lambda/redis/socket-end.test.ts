import { getEventListeners, once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { createSocketEnd } from '../../../lambda/redis/socket-end.ts';
import { freePort } from '../../../rehearsal/servers/process.ts';

/** Resolves with the errors of a socket when it has ended. */
const ended = (socket: Socket) =>
  new Promise<string[]>((resolve) => {
    const errors: string[] = [];
    socket.on('error', ({ name }) => errors.push(name));
    socket.on('close', () => resolve(errors));
  });

test('of sockets that have ended none is remembered, however many there were', async () => {
  const { signal, forget } = createSocketEnd();
  const port = await freePort();
  for (let attempt = 0; attempt < 15; attempt += 1) {
    await ended(connect({ port, host: '127.0.0.1', signal }));
    forget();
  }
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test('the socket that is there ends, and one that is opened after the end does not open', async () => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const { signal, end, forget } = createSocketEnd();
  const open = () => connect({ port, host: '127.0.0.1', signal });

  const first = open();
  await once(first, 'connect');
  first.destroy();
  await ended(first);
  forget();
  const second = open();
  await once(second, 'connect');
  const secondEnded = ended(second);
  end();
  expect(await secondEnded).toEqual(['AbortError']);
  expect(await ended(open())).toEqual(['AbortError']);
  server.close();
});

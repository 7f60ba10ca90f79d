/** Doors for tests: TCP servers on free loopback ports that are shut when the test file has ended. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterAll } from '@jest/globals';

const opened: { server: Server; sockets: Set<Socket> }[] = [];

afterAll(() => {
  for (const { server, sockets } of opened) {
    server.close();
    for (const socket of sockets) socket.destroy();
  }
});

/** Has a socket destroyed at the end, and its errors ignored until then. */
export type Keep = (socket: Socket) => Socket;

/** Opens a door that a client takes for a Redis. @param onCaller answers a caller, which is kept already. @returns its URL. */
export async function openDoor(onCaller: (caller: Socket, keep: Keep) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const keep: Keep = (socket) => {
    sockets.add(socket);
    return socket.on('error', () => {});
  };
  const server = createServer((caller) => onCaller(keep(caller), keep));
  opened.push({ server, sockets });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('door: no port');
  return `redis://127.0.0.1:${address.port}`;
}

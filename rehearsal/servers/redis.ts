import { accessSync, constants, mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { connect as connectTls } from 'node:tls';
import { end, type Launched, launch, onFreePort, untilReady } from './process.ts';
import { type RedisCertificate, redisCertificate } from './redis-certificate.ts';
import type { Workspace } from './workspace.ts';

/** A Redis of our own on 127.0.0.1. */
export interface RedisServer {
  /** Of the default user, who needs no password and may do everything. */
  readonly url: string;
  readonly port: number;
  /** The CA that signed its certificate, in PEM; undefined without TLS. */
  readonly ca: string | undefined;
  /** The process that runs now: another one after `restart`. */
  readonly pid: number;
  /** Resolves when the process that runs now has ended, and says how. */
  readonly ended: Promise<string>;
  /** Sends a signal; `SIGKILL` and `SIGTERM` wait for the end, `SIGSTOP` and `SIGCONT` do not. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Kills it if it runs, and starts it on the same port with the same folder: empty, unless `args` persist. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface RedisOptions {
  /** More of redis-server's options, such as `['--appendonly', 'yes']`; they win over ours. */
  readonly args?: readonly string[];
  /** A free one unless told. */
  readonly port?: number;
  /** Whether it speaks TLS, and nothing else; with a certificate of its own unless one is given. */
  readonly tls?: boolean | RedisCertificate;
  /** More users, by name, with their ACL rules: `{ reader: ['on', '>password', '~*', '+get'] }`. */
  readonly users?: Readonly<Record<string, readonly string[]>>;
}

/** `SET ... NX ... GET`, which takes a lease, came with Redis 7. */
const OLDEST = 7;

let count = 0;

/**
 * Starts `redis-server` or `valkey-server`, without persistence unless asked for.
 * @throws with the server's last log lines when it does not answer.
 */
export async function startRedis(workspace: Workspace, options: RedisOptions = {}): Promise<RedisServer> {
  const command = findRedis();
  count += 1;
  const name = `redis-${count}`;
  const folder = path.join(workspace.folder, name);
  mkdirSync(folder);
  const certificate = options.tls === true ? await redisCertificate(folder) : options.tls || undefined;
  const ca = certificate?.ca;
  const users = Object.entries(options.users ?? {}).flatMap(([user, rules]) => ['--user', user, ...rules]);

  const start = async (port: number) => {
    const listen = certificate
      ? ['--port', '0', '--tls-port', `${port}`, ...certificate.args]
      : ['--port', `${port}`];
    const args = [...listen, '--bind', '127.0.0.1', '--dir', folder, '--save', '', ...users];
    const server = launch(workspace, {
      name,
      command,
      args: [...args, ...(options.args ?? [])],
      cwd: folder,
    });
    let info = '';
    await untilReady(server, `Redis on port ${port}`, async () => {
      info = await answer({ port, ca }, server);
      return info !== '';
    });
    const version = /redis_version:([\d.]+)/.exec(info)?.[1];
    if (version !== undefined && Number.parseInt(version, 10) < OLDEST) {
      await end(server, 'SIGKILL');
      throw new Error(
        `servers: ${command} is version ${version}: install ${OLDEST} or newer, or set REDIS_URL`,
      );
    }
    return { server, port };
  };
  let { server, port } = await onFreePort(start, options.port);

  return {
    url: `${ca ? 'rediss' : 'redis'}://127.0.0.1:${port}`,
    port,
    ca,
    get pid() {
      return server.child.pid ?? 0;
    },
    get ended() {
      return server.ended;
    },
    async kill(signal) {
      if (signal === 'SIGKILL' || signal === 'SIGTERM') await end(server, signal);
      else server.child.kill(signal);
    },
    async restart() {
      await end(server, 'SIGKILL');
      ({ server, port } = await onFreePort(start, port));
    },
    stop: () => end(server, 'SIGKILL'),
  };
}

/** What our own process tells of itself once it has loaded its data; '' until then. */
function answer(
  { port, ca }: { port: number; ca: string | undefined },
  { child }: Launched,
): Promise<string> {
  return new Promise((resolve) => {
    let reply = '';
    const ask = () => socket.write('INFO\r\n');
    const to = { port, host: '127.0.0.1' };
    const socket = ca ? connectTls({ ...to, ca }, ask) : connect(to, ask);
    socket.setTimeout(500, () => socket.destroy());
    socket.on('error', () => {});
    socket.on('close', () => resolve(''));
    socket.on('data', (chunk) => {
      reply += chunk.toString('latin1');
      const ours = reply.includes(`process_id:${child.pid}\r\n`) && reply.includes('\nloading:0\r\n');
      // A server with a password does not tell more.
      if (!ours && !reply.startsWith('-NOAUTH')) return;
      resolve(reply);
      socket.destroy();
    });
  });
}

/** @throws when there is none: `scripts/setup.mjs` installs it or says how. */
function findRedis(): string {
  for (const name of ['redis-server', 'valkey-server']) {
    for (const folder of (process.env['PATH'] ?? '').split(path.delimiter)) {
      const file = path.join(folder, name);
      try {
        accessSync(file, constants.X_OK);
        return file;
      } catch {}
    }
  }
  throw new Error(
    'servers: no redis-server or valkey-server on the PATH: `node scripts/setup.mjs` says how to get one',
  );
}

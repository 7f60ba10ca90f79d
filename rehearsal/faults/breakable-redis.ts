import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { connectRedis } from '../../lambda/redis/connection.ts';
import { type RedisServer, startRedis } from '../servers/redis.ts';
import type { Workspace } from '../servers/workspace.ts';

/** A Redis of our own that may be broken on purpose. */
export interface BreakableRedis {
  readonly url: string;
  /** Resolves when it has ended otherwise than by `kill`, and says how. */
  readonly ended: Promise<string>;
  /** Ends it at once; what it held a moment before, its users included, is there again after `restart`. */
  kill(): Promise<void>;
  /** @throws what it said when it did not start. */
  restart(): Promise<void>;
  /** It answers nothing until `thaw`. */
  freeze(): void;
  thaw(): void;
}

const PATIENCE_MS = 5000;

/** Starts a Redis that keeps its users over a restart. @throws with its last log lines when it does not answer. */
export async function startBreakableRedis(workspace: Workspace): Promise<BreakableRedis> {
  const users = path.join(workspace.folder, 'redis-users.acl');
  // It starts with no other file than one that is there.
  writeFileSync(users, '');
  const server = await startRedis(workspace, { args: ['--aclfile', users] });
  let isKilled = false;
  let tell: (how: string) => void = () => {};
  const ended = new Promise<string>((resolve) => {
    tell = resolve;
  });
  const watch = () => void server.ended.then((how) => isKilled || tell(how));
  watch();

  return {
    url: server.url,
    ended,
    async kill() {
      await keepWhatIsThere(server);
      isKilled = true;
      await server.kill('SIGKILL');
    },
    async restart() {
      try {
        await server.restart();
      } catch (error) {
        tell('it did not start again');
        throw error;
      }
      isKilled = false;
      watch();
    },
    freeze: () => void server.kill('SIGSTOP'),
    thaw: () => void server.kill('SIGCONT'),
  };
}

/** As a snapshot that is some moments old: otherwise state would be gone that a real Redis has on its replica. */
async function keepWhatIsThere({ url }: RedisServer): Promise<void> {
  const redis = connectRedis({ url, name: 'cutover-faults', deadlineMs: PATIENCE_MS });
  try {
    await redis.ready(PATIENCE_MS);
    await redis.send(['ACL', 'SAVE']);
    await redis.send(['SAVE']);
  } finally {
    redis.close();
  }
}

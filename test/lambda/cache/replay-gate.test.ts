import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { Send } from '../../../lambda/cache/redis-store.ts';
import {
  createReplayGate,
  REPLAYED,
  ReplayPendingError,
  soleServer,
  throughGate,
} from '../../../lambda/cache/replay-gate.ts';
import type { RedisConnection } from '../../../lambda/redis/connection.ts';
import type { RedisServer } from '../../../rehearsal/servers/redis.ts';
import { gate as held } from '../../support/gate.ts';
import { lookInto } from '../../support/redis.ts';
import { ownRedis } from '../../support/servers.ts';
import { until } from './contract.ts';

let server: RedisServer;
let redis: RedisConnection;
let send: Send;
const opened: { close(): void }[] = [];

beforeAll(async () => {
  server = await ownRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
  redis = await lookInto(server.url);
  send = redis.send;
});
beforeEach(async () => void (await send(['FLUSHALL'])));
afterAll(() => {
  for (const each of opened) each.close();
});

const open = (replay?: () => Promise<boolean>, via: Send = (command) => send(command)) => {
  const errors: unknown[] = [];
  const gate = createReplayGate({
    replay,
    onError: (error) => errors.push(error),
    askAgainAfterMs: 5,
  });
  opened.push(gate);
  const server = soleServer(via);
  return { ...gate, errors, connected: () => gate.connected(server) };
};

const life = async () => {
  const info = String(await send(['INFO']));
  return `${/run_id:(\w+)/.exec(info)?.[1]}:${/master_replid:(\w+)/.exec(info)?.[1]}`;
};

describe('a gate', () => {
  test('stays closed, and says so, where INFO does not tell which life of the server this is', async () => {
    const silent: Send = async ([name]) => (name === 'INFO' ? '# Server\r\nredis_version:7.0.15\r\n' : null);
    const gate = open(async () => true, silent);
    await gate.connected();
    expect(gate.isOpen()).toBe(false);
    expect(gate.errors).toEqual([expect.objectContaining({ message: expect.stringContaining('run_id') })]);
  });

  test('is closed until somebody has connected', () => {
    expect(open().isOpen()).toBe(false);
  });

  test('of who cannot replay opens where nothing was ever replayed', async () => {
    const gate = open();
    await gate.connected();
    expect(gate.isOpen()).toBe(true);
    expect(await send(['GET', REPLAYED])).toBeNull();
  });

  test('of who cannot replay stays closed where a mark that it has seen is gone: so are invalidations', async () => {
    await send(['SET', REPLAYED, await life()]);
    const gate = open();
    await gate.connected();
    expect(gate.isOpen()).toBe(true);
    await send(['DEL', REPLAYED]);
    await gate.connected();
    expect(gate.isOpen()).toBe(false);
  });

  test('of who can replay does so first, and notes to which life of the server', async () => {
    const replay = jest.fn(async () => true);
    const gate = open(replay);
    await gate.connected();
    expect(gate.isOpen()).toBe(true);
    expect(await send(['GET', REPLAYED])).toBe(await life());
    await open(replay).connected();
    expect(replay).toHaveBeenCalledTimes(1);
  });

  test('stays closed while another life of the server is noted, and asks again', async () => {
    await send(['SET', REPLAYED, 'of another:life']);
    const gate = open();
    await gate.connected();
    expect(gate.isOpen()).toBe(false);
    await send(['SET', REPLAYED, await life()]);
    await until(() => gate.isOpen());
  });

  test('stays closed while another process replays', async () => {
    let theirs = true;
    const replay = jest.fn(async () => !theirs);
    const gate = open(replay);
    await gate.connected();
    expect(gate.isOpen()).toBe(false);
    theirs = false;
    await until(() => gate.isOpen());
    expect(replay.mock.calls.length).toBeGreaterThanOrEqual(2);
  });

  test('stays closed while the database or Redis fails, tells it, and tries again', async () => {
    const replay = jest.fn(async () => true).mockRejectedValueOnce(new Error('no database'));
    const gate = open(replay);
    await gate.connected();
    expect(gate.isOpen()).toBe(false);
    expect(gate.errors).toEqual([new Error('no database')]);
    await until(() => gate.isOpen());
  });

  test('a check of an older connection opens nothing', async () => {
    const { held: late, open: release } = held();
    let first = true;
    const gate = open(undefined, async (command) => {
      if (first) {
        first = false;
        await late;
      }
      return send(command);
    });
    const older = gate.connected();
    await send(['SET', REPLAYED, 'of another:life']);
    await gate.connected();
    await send(['DEL', REPLAYED]);
    release();
    await older;
    // The older one has seen no mark, and would open; the later one asks again in a second.
    expect(gate.isOpen()).toBe(false);
    gate.close();
  });

  test('that was closed opens with the next connection', async () => {
    const gate = open();
    await gate.connected();
    gate.close();
    expect(gate.isOpen()).toBe(false);
    await gate.connected();
    expect(gate.isOpen()).toBe(true);
  });

  test('a restart of the server is another life of it', async () => {
    await open(async () => true).connected();
    const before = await life();
    await server.restart();
    await redis.ready(10_000);
    expect(await send(['GET', REPLAYED])).toBe(before);
    const gate = open();
    await gate.connected();
    expect(gate.isOpen()).toBe(false);
    await open(async () => true).connected();
    await until(() => gate.isOpen());
  });
});

describe('through a gate', () => {
  test('nothing is sent while it is closed, and an answer that comes after it has closed is none', async () => {
    let isOpen = false;
    const counting = jest.fn(async () => {
      isOpen = false;
      return 'a value of before the restart';
    });
    const guarded = throughGate(counting, { isOpen: () => isOpen });
    await expect(guarded(['GET', 'a'])).rejects.toThrow(ReplayPendingError);
    expect(counting).not.toHaveBeenCalled();
    isOpen = true;
    await expect(guarded(['GET', 'a'])).rejects.toThrow(ReplayPendingError);
  });
});

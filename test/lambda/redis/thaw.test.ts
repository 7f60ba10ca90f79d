import { describe, expect, test } from '@jest/globals';
import { createThawCheck, THAW_AFTER_MS } from '../../../lambda/redis/thaw.ts';
import { flakyRedis } from '../../support/flaky-redis.ts';
import { callsOf, connected, lookInto, within } from '../../support/redis.ts';
import { ownRedis } from '../../support/servers.ts';

const PATIENCE_MS = 10_000;
/** The whole time of a command, as the runtime has it. */
const BUDGET_MS = 250;
const LONG_MS = 3_600_000;

/** A wall clock that a test sets forward, as a freeze of the sandbox does. */
function wallClock() {
  let atMs = 1_000_000;
  return {
    now: () => atMs,
    pass(ms: number) {
      atMs += ms;
    },
  };
}

describe('the check', () => {
  const checked = (failing = 0) => {
    const clock = wallClock();
    let proofs = 0;
    const check = createThawCheck({
      now: clock.now,
      async prove() {
        proofs += 1;
        return proofs > failing;
      },
    });
    return { clock, check, proofs: () => proofs };
  };

  test('is content with a use not long ago, and each use counts', () => {
    const { clock, check } = checked();
    for (let use = 0; use < 10; use += 1) {
      clock.pass(THAW_AFTER_MS);
      expect(check.awake()).toBe(true);
    }
    clock.pass(THAW_AFTER_MS + 1);
    expect(check.awake()).toBe(false);
  });

  test('asks for one proof, whoever wants it meanwhile, and is content then', async () => {
    const { clock, check, proofs } = checked();
    clock.pass(LONG_MS);
    const all = Promise.all([check.proven(), check.proven(), check.proven()]);
    expect(check.awake()).toBe(false);
    await all;
    expect(proofs()).toBe(1);
    expect(check.awake()).toBe(true);
  });

  test('asks again after a proof that failed, and when it is told to doubt', async () => {
    const { check, proofs } = checked(1);
    check.doubt();
    expect([check.awake(), check.isIdle()]).toEqual([false, true]);
    await check.proven();
    expect(check.awake()).toBe(false);
    await check.proven();
    expect([check.awake(), check.isIdle(), proofs()]).toEqual([true, false, 2]);
  });

  test('asks for a proof when the clock was set back, once', async () => {
    const { clock, check } = checked();
    clock.pass(-LONG_MS);
    expect(check.awake()).toBe(false);
    await check.proven();
    expect(check.awake()).toBe(true);
  });
});

describe('a connection after a gap on the wall clock', () => {
  test('whose peer vanished meanwhile is replaced before the command, which is answered', async () => {
    const server = await ownRedis();
    const door = await flakyRedis({ first: [], to: server });
    const clock = wallClock();
    const errors: string[] = [];
    const redis = connected({
      url: door.url,
      name: 'thawed',
      now: clock.now,
      onError: (error) => errors.push(error.message),
    });
    await redis.ready(PATIENCE_MS);
    await redis.send(['SET', 'key', 'value']);
    door.vanish();
    clock.pass(LONG_MS);
    const answers = Array.from({ length: 20 }, () => within(redis.send(['GET', 'key']), 2 * BUDGET_MS));
    expect(await Promise.all(answers)).toEqual(Array(20).fill('value'));
    expect(door.attempts).toBe(2);
    expect(errors).toEqual(['redis: no reply within 100 ms']);
    expect(redis.connections).toBe(1);
  });

  test('without the gap a command finds out by itself, at its deadline', async () => {
    const server = await ownRedis();
    const door = await flakyRedis({ first: [], to: server });
    const redis = connected({ url: door.url, name: 'awake', now: wallClock().now });
    await redis.ready(PATIENCE_MS);
    door.vanish();
    expect(await within(redis.send(['GET', 'key']), 2 * BUDGET_MS)).toBe('DeadlineError');
    expect(door.attempts).toBe(1);
  });

  test('that is alive is kept: one proof for all commands, which go on in their order', async () => {
    const server = await ownRedis();
    const look = await lookInto(server.url);
    const clock = wallClock();
    const redis = connected({ url: server.url, name: 'alive', now: clock.now, deadlineMs: PATIENCE_MS });
    await redis.ready(PATIENCE_MS);
    const push = (from: number) =>
      Array.from({ length: 50 }, (_, index) => redis.send(['RPUSH', 'list', `${from + index}`]));
    await Promise.all(push(0));
    expect(await callsOf(look, 'ping')).toBe(0);
    clock.pass(LONG_MS);
    await Promise.all(push(50));
    expect(await callsOf(look, 'ping')).toBe(1);
    const pushed = Array.from({ length: 100 }, (_, index) => `${index}`);
    expect(await redis.send(['LRANGE', 'list', '0', '-1'])).toEqual(pushed);
  });

  test('to a frozen server costs no command more than its time', async () => {
    const server = await ownRedis();
    const clock = wallClock();
    const redis = connected({ url: server.url, name: 'frozen', now: clock.now });
    await redis.ready(PATIENCE_MS);
    await server.kill('SIGSTOP');
    clock.pass(LONG_MS);
    const commands = Array.from({ length: 20 }, () => within(redis.send(['GET', 'key']), 2 * BUDGET_MS));
    expect(await Promise.all(commands)).toEqual(Array(20).fill('RedisUnavailableError'));
    await server.kill('SIGCONT');
    await redis.ready(PATIENCE_MS);
    expect(await redis.send(['GET', 'key'])).toBeNull();
  });

  test('is new: it has nothing to prove', async () => {
    const server = await ownRedis();
    const clock = wallClock();
    const redis = connected({ url: server.url, name: 'new', now: clock.now, deadlineMs: PATIENCE_MS });
    clock.pass(LONG_MS);
    await redis.ready(PATIENCE_MS);
    await redis.send(['GET', 'key']);
    expect(await callsOf(await lookInto(server.url), 'ping')).toBe(0);
  });
});

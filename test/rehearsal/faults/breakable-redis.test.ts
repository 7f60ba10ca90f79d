import { beforeAll, expect, test } from '@jest/globals';
import { type BreakableRedis, startBreakableRedis } from '../../../rehearsal/faults/breakable-redis.ts';
import { lookInto, within } from '../../support/redis.ts';
import { ownWorkspace } from '../../support/servers.ts';

let redis: BreakableRedis;

beforeAll(async () => {
  redis = await startBreakableRedis(await ownWorkspace());
});

const asUser = () => redis.url.replace('//', '//reader:secret@');

test('what was there before it was killed is there again, its users included, and its end is none', async () => {
  const before = await lookInto(redis.url);
  await before.send(['SET', 'key', 'value']);
  await before.send(['ACL', 'SETUSER', 'reader', 'on', '>secret', '~key', '+get', '+ping', '+info']);
  await redis.kill();
  await expect(within(before.send(['PING']), 5000)).resolves.not.toBe('PONG');
  await redis.restart();
  const after = await lookInto(redis.url);
  expect(await after.send(['GET', 'key'])).toBe('value');
  const reader = await lookInto(asUser());
  expect(await reader.send(['GET', 'key'])).toBe('value');
  await expect(reader.send(['SET', 'key', 'other'])).rejects.toThrow(/NOPERM|permission/);
  expect(await within(redis.ended, 50)).toBe('still waiting');
});

test('frozen it answers nothing, and thawed what it was asked', async () => {
  const connection = await lookInto(redis.url);
  redis.freeze();
  const answer = connection.send(['PING']);
  expect(await within(answer, 100)).toBe('still waiting');
  redis.thaw();
  expect(await answer).toBe('PONG');
});

test('an end that nobody asked for is told, after a restart, too', async () => {
  const connection = await lookInto(redis.url);
  const info = String(await connection.send(['INFO', 'server']));
  process.kill(Number(/process_id:(\d+)/.exec(info)?.[1]), 'SIGKILL');
  expect(await redis.ended).toBe('SIGKILL');
});

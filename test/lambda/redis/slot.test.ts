import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { RedisConnection } from '../../../lambda/redis/connection.ts';
import { keyOf, slotOf } from '../../../lambda/redis/slot.ts';
import { lookInto } from '../../support/redis.ts';
import { ownRedis } from '../../support/servers.ts';

let node: RedisConnection;

beforeAll(async () => {
  node = await lookInto((await ownRedis({ args: ['--cluster-enabled', 'yes'] })).url);
});

const braces = fc.string({ unit: fc.constantFrom('{', '}', 'a', ':', 'é', '😀') });

test('a slot is the one that Redis computes, whatever is in the key', async () => {
  const keys = fc.array(fc.oneof(braces, fc.string(), fc.uint8Array().map(Buffer.from)), { maxLength: 50 });
  await fc.assert(
    fc.asyncProperty(keys, async (all) => {
      const theirs = await Promise.all(all.map((key) => node.send(['CLUSTER', 'KEYSLOT', key])));
      expect(all.map(slotOf)).toEqual(theirs);
    }),
  );
});

test('a lease beside its key has the slot of the key', () => {
  expect(slotOf('cutover:lease:{mocs:user:1:list}:mocs:user:1:list')).toBe(slotOf('mocs:user:1:list'));
});

describe('the key of', () => {
  test.each([
    [['GET', 'key'], 'key'],
    [['get', 'key'], 'key'],
    [['SET', 'key', 'value', 'NX'], 'key'],
    [['UNLINK', 'key'], 'key'],
    [['EVAL', 'return 1', '2', 'key', 'other', 'argument'], 'key'],
    [['evalsha', 'abc', '1', 'key'], 'key'],
    [['EVAL', 'return 1', '0', 'argument'], undefined],
    [['PING'], undefined],
    [['SCRIPT', 'LOAD', 'return 1'], undefined],
    [['INFO', 'server'], undefined],
    [['CLUSTER', 'SLOTS'], undefined],
  ])('%j is %j', (command, key) => {
    expect(keyOf(command)).toBe(key);
  });
});

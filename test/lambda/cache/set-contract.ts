import { expect, test } from '@jest/globals';
import { createKeyspace, InvalidKeyError } from '../../../lambda/cache/keyspace.ts';
import type { Phase } from '../../../lambda/cache/phase.ts';
import { createSets, type SetStore } from '../../../lambda/cache/sets.ts';
import { FAMILIES, type Family } from '../../../lambda/contract/families.ts';

const MEMBERS: Family = { name: 'members', kind: 'state', onFlush: 'preserve' };
const HOUR = { ttlSeconds: 3600 };

/** What every store has to make true of mirrored sets. */
export function setContract(phase: Phase, store: () => SetStore): void {
  const of = (at: Phase) =>
    createSets({
      keyspace: createKeyspace({ phase: at, env: 'test', families: [...FAMILIES, MEMBERS] }),
      store: store(),
    });
  const members = async (at: Phase, key: string) => {
    const found = await of(at).members(key);
    return found.outcome === 'hit' ? [...found.value].sort() : found.outcome;
  };

  test('a set has the members that were added and not removed', async () => {
    const sets = of(phase);
    expect(await members(phase, 'members:1')).toBe('miss');
    expect(await sets.add('members:1', ['a', 'b'], HOUR)).toBe('stored');
    expect(await sets.add('members:1', ['b', 'c', ''], { ttlSeconds: 'does not expire' })).toBe('stored');
    expect(await sets.add('members:1', [], HOUR)).toBe('stored');
    expect(await members(phase, 'members:1')).toEqual(['', 'a', 'b', 'c']);
    expect(await sets.remove('members:1', ['a', '', 'nobody'])).toBe('stored');
    expect(await members(phase, 'members:1')).toEqual(['b', 'c']);
    await sets.remove('members:1', ['b', 'c']);
    expect(await members(phase, 'members:1')).toBe('miss');
  });

  test('takes many members, and a TTL that is no whole number', async () => {
    const many = Array.from({ length: 9000 }, (_, index) => `${index}`);
    expect(await of(phase).add('members:1', many, { ttlSeconds: 60.5001 })).toBe('stored');
    expect(await members(phase, 'members:1')).toHaveLength(9000);
    await of(phase).remove('members:1', many);
  });

  test('wants a TTL in words or above 0, and a key that no table owns', async () => {
    await expect(of(phase).add('members:1', ['a'])).rejects.toThrow("'does not expire'");
    await expect(of(phase).add('members:1', ['a'], { ttlSeconds: 0 })).rejects.toThrow(RangeError);
    await expect(of(phase).members('mocs:1')).rejects.toThrow(InvalidKeyError);
    await expect(of(phase).members('nobody:1')).rejects.toThrow(InvalidKeyError);
  });

  /** The other phase of each edge of the migration that this one is at. */
  const NEIGHBOURS: Readonly<Record<Phase, readonly Phase[]>> = {
    legacy: ['isolated', 'dual'],
    isolated: ['legacy'],
    dual: ['legacy', 'prefixed'],
    prefixed: ['dual'],
  };
  test.each(NEIGHBOURS[phase])(
    'what is added here is seen in %s, and what is removed there is gone here',
    async (other) => {
      await of(phase).add('members:1', ['a', 'b'], HOUR);
      expect(await members(other, 'members:1')).toEqual(['a', 'b']);
      await of(other).remove('members:1', ['a']);
      expect(await members(phase, 'members:1')).toEqual(['b']);
      await of(other).remove('members:1', ['b']);
    },
  );
}

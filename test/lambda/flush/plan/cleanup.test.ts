import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createKeyspace } from '../../../../lambda/cache/keyspace.ts';
import { familiesIn } from '../../../../lambda/cache/phase.ts';
import { PHASE_SWITCHES, type Phase } from '../../../../lambda/contract/environment.ts';
import { FAMILIES, type Family } from '../../../../lambda/contract/families.ts';
import { flush } from '../../../../lambda/flush/flush.ts';
import { CLEANUP_TARGETS, type CleanupTarget, planCleanup } from '../../../../lambda/flush/plan/cleanup.ts';
import type { RedisConnection } from '../../../../lambda/redis/connection.ts';
import { lookInto } from '../../../support/redis.ts';
import { ownRedis } from '../../../support/servers.ts';

const PHASES = Object.keys(PHASE_SWITCHES) as Phase[];
const NAMESPACE: Readonly<Record<CleanupTarget, string>> = {
  ...{ legacy: '', v2: 'v2:', cw: 'cw:test:', v1: 'v1:' },
};

/** What each phase refuses, and the switch that the refusal names. */
const REFUSED: Readonly<Record<Phase, Partial<Record<CleanupTarget, RegExp>>>> = {
  legacy: { legacy: /in the phase legacy \(MIGRATION_MODE .*deploy MIGRATION_MODE=true/ },
  isolated: { v2: /in the phase isolated \(MIGRATION_MODE=true\); deploy MIGRATION_MODE=false/ },
  dual: {
    legacy:
      /in the phase dual \(CW_CACHE_PREFIX_ENABLED=1 CW_CACHE_DUAL_WRITE=1\); deploy .*without CW_CACHE_DUAL_WRITE/,
    cw: /in the phase dual .*; deploy CW_CACHE_PREFIX_ENABLED=0/,
  },
  prefixed: { cw: /in the phase prefixed \(CW_CACHE_PREFIX_ENABLED=1\); deploy CW_CACHE_PREFIX_ENABLED=0/ },
};

const cleanup = (target: CleanupTarget, phase: Phase, families?: readonly Family[]) =>
  planCleanup({ target, phase, env: 'test', legacyStopped: true, ...(families && { families }) });

const combinations = PHASES.flatMap((phase) => CLEANUP_TARGETS.map((target) => [phase, target] as const));

describe.each(combinations)('in the phase %s, the cleanup of %s', (phase, target) => {
  const refusal = REFUSED[phase][target];

  test(refusal ? 'is refused, with switch and remedy' : 'is planned', () => {
    if (refusal) {
      expect(() => cleanup(target, phase)).toThrow(refusal);
      expect(() => cleanup(target, phase)).toThrow(expect.objectContaining({ name: 'ConfigurationError' }));
    } else expect(cleanup(target, phase)).toMatchObject({ inUse: [] });
  });

  test('is refused where, and only where, the runtime reads', () => {
    const { home, legacy, fillsLegacy } = createKeyspace({ phase, env: 'test' }).locate('mocs:1');
    const read: readonly string[] = fillsLegacy ? [home, legacy] : [home];
    expect(read.includes(`${NAMESPACE[target]}mocs:1`)).toBe(refusal !== undefined);
  });
});

test.each(PHASES)('legacy wants --legacy-stopped, in the phase %s', (phase) => {
  const plan = () => planCleanup({ target: 'legacy', phase, env: 'test' });
  expect(plan).toThrow(phase in { legacy: 1, dual: 1 } ? /still read/ : /without --legacy-stopped/);
});

test.each(['v2', 'cw', 'v1'] as const)('%s does not', (target) => {
  expect(planCleanup({ target, phase: 'legacy', env: 'test' }).inUse).toEqual([]);
});

describe('a family with a phase of its own', () => {
  const list = { kind: 'cache', onFlush: 'flush', ttlSeconds: 60 } as const;
  const families: readonly Family[] = [
    { name: 'ahead', ...list, phase: 'prefixed' },
    { name: 'behind', ...list, phase: 'legacy' },
    { name: 'kept', ...list, onFlush: 'preserve' },
    { name: 'asks', ...list, phaseSwitch: 'CW_RL_PREFIX_ENABLED' },
    { name: 'quota', kind: 'state', onFlush: 'flush', phase: 'isolated' },
  ];

  test('goes by that one', () => {
    const switched = familiesIn({ CW_RL_PREFIX_ENABLED: '1' }, families);
    const { plan, inUse } = cleanup('legacy', 'isolated', switched);
    expect(plan.flush).toEqual(['ahead:*', 'kept:*', 'asks:*']);
    expect(inUse).toEqual(['behind']);
    expect(plan.isDue('ahead:1') && plan.isDue('kept:1')).toBe(true);
    expect(plan.isDue('behind:1') || plan.isDue('quota:1')).toBe(false);
  });

  test('that is the only reader refuses, and the message says why it reads', () => {
    const alone = (name: string) =>
      familiesIn(
        { CW_RL_PREFIX_ENABLED: '1' },
        families.filter((each) => each.name === name || each.kind === 'state'),
      );
    expect(() => cleanup('cw', 'legacy', alone('ahead'))).toThrow(
      /ahead in the phase prefixed \(their own in lambda\/contract\/families.ts\)/,
    );
    expect(() => cleanup('cw', 'legacy', alone('asks'))).toThrow(
      /asks in the phase prefixed \(CW_RL_PREFIX_ENABLED=1\)/,
    );
  });
});

test('v1 is no remains where the registry has a family of this name', () => {
  const families: readonly Family[] = [{ name: 'v1', kind: 'cache', onFlush: 'flush', ttlSeconds: 60 }];
  expect(() => cleanup('v1', 'legacy', families)).toThrow(/has a family v1/);
});

describe('on a Redis', () => {
  const PLACES = ['', 'v2:', 'cw:test:', 'v1:', 'cw:other:', 'v2:v1:', 'v11:'];
  /** Also families that a flush does otherwise with than with the rest of their kind. */
  const families: readonly Family[] = [
    ...FAMILIES,
    { name: 'warm', kind: 'cache', onFlush: 'preserve', ttlSeconds: 60 },
    { name: 'cart', kind: 'state', onFlush: 'flush' },
  ];
  const keysOf = (kind: Family['kind'], places: readonly string[]) =>
    families
      .filter((each) => each.kind === kind)
      .flatMap(({ name }) => places.map((place) => `${place}${name}:1`));
  const OTHERS = ['mocs', 'jobs:1', 'cutover:env', 'cutover:lease:{mocs:1}:mocs:1'];
  const ALL = [...keysOf('cache', PLACES), ...keysOf('state', PLACES), ...OTHERS];

  let redis: RedisConnection;
  let url: string;
  beforeAll(async () => {
    ({ url } = await ownRedis());
    redis = await lookInto(url);
  });
  beforeEach(async () => {
    await redis.send(['FLUSHALL']);
    await redis.send(['MSET', ...ALL.flatMap((key) => [key, key === 'cutover:env' ? 'test' : 'value'])]);
  });

  test.each<[CleanupTarget, Phase]>([
    ['legacy', 'isolated'],
    ['v2', 'legacy'],
    ['cw', 'isolated'],
    ['v1', 'dual'],
  ])('%s deletes the cache families there, and nothing of state', async (target, phase) => {
    const { plan } = cleanup(target, phase, families);
    const report = await flush({ target: { url }, plan, maxLatencyMs: 0 });
    const due = new Set(keysOf('cache', [NAMESPACE[target]]));
    expect((await redis.send(['KEYS', '*'])) as string[]).toEqual(
      expect.arrayContaining(ALL.filter((key) => !due.has(key))),
    );
    expect(report).toMatchObject({ flushed: due.size, complete: true });
    expect(await redis.send(['DBSIZE'])).toBe(ALL.length - due.size);
  });
});

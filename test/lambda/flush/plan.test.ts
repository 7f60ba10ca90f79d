import { describe, expect, test } from '@jest/globals';
import { FAMILIES } from '../../../lambda/contract/families.ts';
import { planFlush } from '../../../lambda/flush/plan.ts';

const plan = planFlush({ env: 'production' });
const NAMESPACES = ['', 'v2:', 'cw:production:'];

const decisions = (keys: readonly string[], { decide } = plan) =>
  Object.fromEntries(keys.map((key) => [key, decide(key)]));

const all = (keys: readonly string[], decision: string) =>
  Object.fromEntries(keys.map((key) => [key, decision]));

test('names the patterns of requirement R4, those of the flags and of the states beside them', () => {
  expect(plan.flush).toEqual(['mocs:*', 'gallery:*', 'wishlist:*', 'albums:*', 'feature_flags:*', 'flag:*']);
  expect(plan.preserve).toEqual([
    'sessions:*',
    'ratelimit:*',
    'user-profiles:*',
    'secure_session:*',
    'csrf:*',
    'rl:*',
  ]);
});

describe.each(NAMESPACES)('in the namespace %j', (namespace) => {
  test.each(FAMILIES.map(({ name, onFlush }) => [onFlush, name]))('it will %s %s', (onFlush, name) => {
    const keys = [`${name}:user:123:list`, `${name}:1`, `${name}:`, `${name}:a\nb`, `${name}:*`];
    const physical = keys.map((key) => namespace + key);
    expect(decisions(physical)).toEqual(all(physical, onFlush as string));
  });

  test('it leaves what only begins like a family', () => {
    const keys = [
      'mocs',
      'mocsX:1',
      'mocs2:user:1:list',
      'xmocs:1',
      'MOCS:1',
      ' mocs:1',
      'mocs;1',
      'usersAbc',
      '',
    ];
    const physical = keys.map((key) => namespace + key);
    expect(decisions(physical)).toEqual(all(physical, 'leave'));
  });
});

test('it leaves what is nobody of its own', () => {
  const keys = [
    'cutover:lease:{mocs:user:1:list}:mocs:user:1:list',
    'cutover:env',
    'cw:staging:mocs:1',
    'cw:mocs:1',
    'cw::mocs:1',
    'cw:productionX:mocs:1',
    'v2mocs:1',
    'v3:mocs:1',
    'V2:mocs:1',
    'bull:v2:mocs:1',
  ];
  expect(decisions(keys)).toEqual(all(keys, 'leave'));
});

test('it strips one namespace, and not two', () => {
  const keys = ['v2:v2:mocs:1', 'v2:cw:production:mocs:1', 'cw:production:v2:mocs:1'];
  expect(decisions(keys)).toEqual(all(keys, 'leave'));
});

describe('only in one namespace', () => {
  const back = planFlush({ env: 'production', onlyNamespace: 'v2:' });

  test('it flushes there, and nowhere else', () => {
    const keys = ['v2:mocs:1', 'mocs:1', 'cw:production:mocs:1', 'v2mocs:1', 'v2:mocsX:1'];
    expect(decisions(keys, back)).toEqual({ ...all(keys, 'leave'), 'v2:mocs:1': 'flush' });
  });

  test('it still preserves states wherever they are', () => {
    const keys = ['sessions:1', 'v2:sessions:1', 'cw:production:csrf:1'];
    expect(decisions(keys, back)).toEqual(all(keys, 'preserve'));
  });
});

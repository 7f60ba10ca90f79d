import { describe, expect, test } from '@jest/globals';
import { FAMILIES } from '../../../../lambda/contract/families.ts';
import { planFlush } from '../../../../lambda/flush/plan/plan.ts';

const plan = planFlush({ env: 'production' });
const NAMESPACES = ['', 'v2:', 'cw:production:'];

/** What becomes of each key; the second look has to agree with the first. */
const decisions = (keys: readonly string[], { classes, classify, isDue } = plan) =>
  Object.fromEntries(
    keys.map((key) => {
      const bytes = Buffer.from(key);
      const fate = classes[classify(bytes, 0, bytes.length)]?.fate;
      expect([key, isDue(bytes.toString('latin1'))]).toEqual([key, fate === 'flush']);
      return [key, fate];
    }),
  );

const all = (keys: readonly string[], decision: string) =>
  Object.fromEntries(keys.map((key) => [key, decision]));

test('names the patterns of requirement R4, those of flags and queries, and of the states beside them', () => {
  expect(plan.flush).toEqual([
    ...['mocs:*', 'gallery:*', 'wishlist:*', 'albums:*', 'feature_flags:*', 'flag:*'],
    'query_cache:*',
  ]);
  expect(plan.preserve).toEqual([
    ...['sessions:*', 'ratelimit:*', 'user-profiles:*', 'csrf:*', 'session:*', 'access_code:*'],
    ...['secure_session:*', 'teacher_sessions:*', 'analytics:*', 'rl:*'],
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

describe('patterns of one’s own', () => {
  const own = planFlush({
    env: 'production',
    patterns: ['mocs:*:list', 'v1:*', 'sess*', 'cutover:*', '*é*'],
    preserve: ['mocs:user:vip:*', 'v2:mocs:user:9:*'],
  });

  test('are flushed instead of the registry’s, in every namespace', () => {
    const due = [
      'mocs:1:list',
      'v2:mocs:1:list',
      'cw:production:mocs:1:list',
      'v1:anything',
      'v2:v1:x',
      'café:1',
    ];
    expect(decisions(due, own)).toEqual(all(due, 'flush'));
    const left = ['mocs:1', 'gallery:1:list', 'cw:staging:mocs:1:list', 'v2:v2:mocs:1:list'];
    expect(decisions(left, own)).toEqual(all(left, 'leave'));
  });

  test('lose against what is preserved, by its logical key or by the stored one', () => {
    const kept = ['mocs:user:vip:list', 'v2:mocs:user:vip:list', 'v2:mocs:user:9:list', 'sessions:1'];
    expect(decisions(kept, own)).toEqual(all(kept, 'preserve'));
    // Only the one in that namespace.
    expect(decisions(['mocs:user:9:list'], own)).toEqual({ 'mocs:user:9:list': 'flush' });
  });

  test('never name what is Cutover’s own', () => {
    const keys = ['cutover:env', 'cutover:lease:{mocs:1:list}:mocs:1:list', 'cutover:epoch:user:1'];
    expect(decisions(keys, own)).toEqual(all(keys, 'leave'));
  });

  test('in no namespace only', () => {
    const bare = planFlush({ env: 'production', onlyNamespace: '', patterns: ['mocs:*'] });
    const keys = ['v2:mocs:1', 'cw:production:mocs:1'];
    expect(decisions([...keys, 'mocs:1'], bare)).toEqual({ ...all(keys, 'leave'), 'mocs:1': 'flush' });
  });
});

describe('what is refused', () => {
  test.each([
    ['', 'is empty'],
    ['mocs:[a-z', 'has a [ that never ends'],
    ['mocs:[a\\]', 'has a [ that never ends'],
    ['mocs:\\', 'ends with \\'],
    ['mocs:[é]', 'has a character that is not ASCII between [ and ]'],
    ['mocs:[^\\]é]*', 'has a character that is not ASCII between [ and ]'],
    ['x'.repeat(513), 'is longer than 512 bytes'],
  ])('%j', (pattern, why) => {
    for (const [option, patterns] of [
      ['--pattern', { patterns: ['mocs:*', pattern] }],
      ['--preserve', { preserve: [pattern] }],
    ] as const) {
      const planning = () => planFlush({ env: 'production', ...patterns });
      expect(planning).toThrow(`flush: ${option} ${JSON.stringify(pattern)} ${why}`);
      expect(planning).toThrow(expect.objectContaining({ name: 'ConfigurationError' }));
    }
  });

  test.each([
    'mocs:\\[é]',
    '[]a-z]*x',
    '[^]]x',
    'mocs:\\\\',
    'é*x',
    '[a-z]x:*',
    'mocs:[é'.replace('[', '\\['),
  ])('not %j', (pattern) =>
    expect(planFlush({ env: 'production', patterns: [pattern] }).flush).toEqual([pattern]),
  );

  test.each([
    [['*']],
    [['?*']],
    [['**']],
    [['mocs:*', '*:*']],
    [['[a-z]*']],
    [['[a-m]*', '[^a-m]*']],
    [['*[^~]']],
    [['????*']],
    [['*:*:*']],
    [['*:??*']],
  ])('%j, which would empty the keyspace, unless that is meant', (patterns) => {
    expect(() => planFlush({ env: 'production', patterns })).toThrow(/matches every key; .*--yes-everything/);
    const meant = planFlush({ env: 'production', patterns, everything: true });
    expect(decisions(['orders:11:22', 'sessions:1', 'cutover:env'], meant)).toEqual({
      'orders:11:22': 'flush',
      'sessions:1': 'preserve',
      'cutover:env': 'leave',
    });
  });
});

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  createKeyspace,
  invalidationSteps,
  type Keyspace,
  type Places,
} from '../../../lambda/cache/keyspace.ts';
import { familiesIn, type Phase } from '../../../lambda/cache/phase.ts';
import { FAMILIES, type Family, patternOf } from '../../../lambda/contract/families.ts';
import { globToRegExp } from '../../../lambda/flush/plan/glob.ts';
import { slotOf } from '../../../lambda/redis/slot.ts';

/** Two phases run at once for as long as a canary or a rollback takes. */
const PHASES: readonly Phase[] = ['legacy', 'isolated', 'dual', 'prefixed'];
const PAIRS = PHASES.flatMap((one) => PHASES.map((other) => [one, other] as const));
/** The steps of a migration, each both ways. */
const EDGES = (
  [
    ['legacy', 'isolated'],
    ['legacy', 'dual'],
    ['dual', 'prefixed'],
  ] as const
).flatMap(([one, other]) => [[one, other] as const, [other, one] as const]);

const SPACES = Object.fromEntries(
  PHASES.map((phase) => [phase, createKeyspace({ phase, env: 'production' })]),
) as Record<Phase, Keyspace>;
const in_ = (phase: Phase) => SPACES[phase];
const rest = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
  .filter((text) => !/[\u0000-\u001f\u007f-\u009f]/.test(text));
const keyOf = (kind: Family['kind']) =>
  fc
    .tuple(fc.constantFrom(...FAMILIES.filter((family) => family.kind === kind)), rest)
    .map(([{ name }, text]) => `${name}:${text}`);

const readsOf = ({ home, legacy, fillsLegacy }: Places) => (fillsLegacy ? [home, legacy] : [home]);
/** A phase fills what it reads. */
const fillsOf = readsOf;

describe.each(PAIRS)('a cache family, %s and %s at once', (one, other) => {
  test('what either fills, and the lease under which it does, an invalidation by the other removes', () => {
    fc.assert(
      fc.property(keyOf('cache'), (key) => {
        const filler = in_(one).locate(key);
        const removed = invalidationSteps([in_(other).locate(key)]).flat();
        expect(removed).toEqual(expect.arrayContaining([...fillsOf(filler), filler.leaseAt, filler.fence]));
      }),
    );
  });

  test('an invalidation removes a source before what is filled from it', () => {
    fc.assert(
      fc.property(fc.uniqueArray(keyOf('cache'), { minLength: 1, maxLength: 5 }), (keys) => {
        const space = in_(one);
        const order = invalidationSteps(keys.map((key) => space.locate(key))).flat();
        for (const key of keys) {
          const { fence, legacy, namespaced } = in_(other).locate(key);
          const at = [fence, legacy, ...namespaced].map((each) => order.indexOf(each));
          expect(at).toEqual([...at].sort((a, b) => a - b));
          expect(at).not.toContain(-1);
        }
      }),
    );
  });
});

describe.each(EDGES)('a family of state, from %s to %s', (one, other) => {
  test('what either writes the other reads', () => {
    fc.assert(
      fc.property(keyOf('state'), (key) => {
        const written = fillsOf(in_(one).locate(key));
        expect(readsOf(in_(other).locate(key)).some((place) => written.includes(place))).toBe(true);
      }),
    );
  });
});

test('no step of a migration leads from legacy to prefixed, where a session would be lost', () => {
  const written = fillsOf(in_('legacy').locate('sessions:1'));
  expect(readsOf(in_('prefixed').locate('sessions:1')).some((place) => written.includes(place))).toBe(false);
});

test('lease and legacy key share a slot, unless the key says that they cannot', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...PHASES),
      keyOf('cache'),
      fc.constantFrom('', '{a}', '{}', '}', '{', '{}b}', '}{b}'),
      (phase, key, braces) => {
        const { fence, legacy, sharesSlot } = in_(phase).locate(key + braces);
        expect(slotOf(fence) === slotOf(legacy)).toBe(sharesSlot);
        if (!/[{}]/.test(legacy)) expect(sharesSlot).toBe(true);
      },
    ),
    { numRuns: 500 },
  );
});

test('the pattern of a family matches no key of another whose name begins like it', () => {
  for (const family of FAMILIES) {
    const pattern = globToRegExp(patternOf(family));
    expect(
      [`${family.name}:1`, `${family.name}Abc:1`, `x${family.name}:1`].map((key) => pattern.test(key)),
    ).toEqual([true, false, false]);
  }
});

test.each([
  ['0', 'rl:login:1'],
  ['1', 'cw:production:rl:login:1'],
])('CW_RL_PREFIX_ENABLED=%s keeps rate limits at %s in every phase', (value, home) => {
  const families = familiesIn({ CW_RL_PREFIX_ENABLED: value });
  for (const phase of PHASES) {
    expect(createKeyspace({ phase, env: 'production', families }).locate('rl:login:1').home).toBe(home);
  }
});

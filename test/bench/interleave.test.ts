import { expect, test } from '@jest/globals';
import { interleave, medianRatio } from '../../bench/interleave.ts';

test('each round measures every contender once, and the warm-up does not count', async () => {
  const measured: string[] = [];
  const results = await interleave(['a', 'b', 'c'], {
    rounds: 2,
    async measure(name, round) {
      measured.push(`${round}${name}`);
      return `${round}${name}`;
    },
  });
  expect([...results]).toEqual([
    ['a', ['1a', '2a']],
    ['b', ['1b', '2b']],
    ['c', ['1c', '2c']],
  ]);
  // One round after the other, whatever the order in a round.
  expect(measured.map((each) => each[0]).join('')).toBe('000111222');
  expect([...measured].sort()).toEqual(['0a', '0b', '0c', '1a', '1b', '1c', '2a', '2b', '2c']);
});

test('ratios are those within a round, so that a slow round counts for both sides', () => {
  expect(medianRatio([20, 2, 200], [10, 1, 50])).toBe(2);
  expect(medianRatio([1, 2, 3])).toBeNaN();
});

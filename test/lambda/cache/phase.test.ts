import { describe, expect, test } from '@jest/globals';
import { environmentName, phaseOf } from '../../../lambda/cache/phase.ts';
import { PHASE_SWITCHES } from '../../../lambda/contract/environment.ts';
import { ConfigurationError } from '../../../lambda/contract/errors.ts';

describe('phaseOf', () => {
  test.each([
    [{}, 'legacy'],
    [{ MIGRATION_MODE: 'false' }, 'legacy'],
    [{ MIGRATION_MODE: '0', CW_CACHE_PREFIX_ENABLED: '0' }, 'legacy'],
    [{ MIGRATION_MODE: 'true' }, 'isolated'],
    [{ MIGRATION_MODE: '1' }, 'isolated'],
    [{ CW_CACHE_PREFIX_ENABLED: '1' }, 'prefixed'],
    [{ CW_CACHE_PREFIX_ENABLED: '1', CW_CACHE_DUAL_WRITE: '0' }, 'prefixed'],
    [{ CW_CACHE_PREFIX_ENABLED: '1', CW_CACHE_DUAL_WRITE: '1', MIGRATION_MODE: '0' }, 'dual'],
  ])('%j is %s', (environment, phase) => {
    expect(phaseOf(environment)).toBe(phase);
  });

  test.each([
    [{ CW_CACHE_DUAL_WRITE: '1' }, ['CW_CACHE_DUAL_WRITE', 'CW_CACHE_PREFIX_ENABLED']],
    [{ MIGRATION_MODE: 'true', CW_CACHE_DUAL_WRITE: '1' }, ['MIGRATION_MODE', 'CW_CACHE_DUAL_WRITE']],
    [{ MIGRATION_MODE: 'true', CW_CACHE_PREFIX_ENABLED: '1' }, ['MIGRATION_MODE', 'CW_CACHE_PREFIX_ENABLED']],
    [{ MIGRATION_MODE: 'yes' }, ['MIGRATION_MODE=yes']],
  ])('%j is refused and names %j', (environment, named) => {
    expect(() => phaseOf(environment)).toThrow(ConfigurationError);
    for (const name of named) expect(() => phaseOf(environment)).toThrow(name);
  });
});

test.each([undefined, '', 'a:b', 'with space', 'x'.repeat(33)])('NODE_ENV=%j is refused', (value) => {
  expect(() => environmentName(value)).toThrow('NODE_ENV');
});

test.each(Object.entries(PHASE_SWITCHES))('the switches of phase %s select it', (phase, switches) => {
  expect(phaseOf(switches)).toBe(phase);
});

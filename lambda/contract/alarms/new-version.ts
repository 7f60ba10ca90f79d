import type { AlarmDefinition } from './definition.ts';

const MINUTE = 60;

/**
 * Alarms of a new version alone, on which CodeDeploy takes its traffic back.
 * At 5 % of the traffic a version that fails every time is 5 % of the alias’s. The hit rate is none of them: a flush lowers it, and so
 * does a canary, which begins cold.
 */
export const VERSION_ALARMS = {
  'new-version-errors': {
    says: 'More than 1 % of the new version’s requests fail',
    metrics: {
      errors: { aws: 'versionErrors', statistic: 'Sum' },
      serverErrors: { own: 'ServerErrors', by: 'version', statistic: 'Sum' },
      invocations: { aws: 'versionInvocations', statistic: 'Sum' },
    },
    expression: '100 * (FILL(errors, 0) + FILL(serverErrors, 0)) / invocations',
    threshold: 1,
    reason:
      'Requirement R19, in percent. Answers above 499 count: a handler that answers 500 has not failed for Lambda. One failure in a quiet minute is not a bad version; two bad minutes of three are.',
    periodSeconds: MINUTE,
    periods: { bad: 2, of: 3 },
    severity: 'page',
    rollsBack: true,
  },
  'new-version-slowness': {
    says: 'One in twenty of the new version’s requests takes more than 200 ms',
    metrics: { duration: { aws: 'versionDuration', statistic: 'p95' } },
    threshold: 200,
    reason: 'Requirement R20. Its first requests find every sandbox cold: two minutes of five may be slow.',
    periodSeconds: MINUTE,
    periods: { bad: 3, of: 5 },
    severity: 'page',
    rollsBack: true,
  },
  'new-version-redis-failures': {
    says: 'The new version has lost, or could not open, more than 5 connections to Redis in a minute',
    metrics: { failures: { own: 'RedisConnectionFailures', by: 'version', statistic: 'Sum' } },
    threshold: 5,
    reason:
      'Requirement R20, of this version alone: with 5 % of the traffic it has a twentieth of the connections.',
    periodSeconds: MINUTE,
    periods: { bad: 1, of: 1 },
    severity: 'page',
    rollsBack: true,
  },
  'new-version-silence': {
    says: 'Nobody has invoked the new version for 10 minutes of its canary',
    metrics: {
      expected: { own: 'CanaryExpected', by: 'version', statistic: 'Sum' },
      invocations: { aws: 'versionInvocations', statistic: 'Sum' },
    },
    expression: 'IF(FILL(expected, 0) > 0 AND FILL(invocations, 0) < 1, 1, 0)',
    threshold: 0,
    reason:
      'A version that nobody has seen has proved nothing. Only while the hook before the traffic has said that there has to be some: before a deployment nobody invokes its version.',
    periodSeconds: MINUTE,
    periods: { bad: 10, of: 10 },
    severity: 'page',
    rollsBack: true,
    // Who gets all traffic at once is not waited for.
    isOf: ({ hasCanary }) => hasCanary,
  },
} as const satisfies Readonly<Record<string, AlarmDefinition>>;

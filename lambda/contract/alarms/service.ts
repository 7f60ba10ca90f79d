import type { AlarmDefinition } from './definition.ts';

const MINUTE = 60;
const FIVE_MINUTES = 300;
const HOUR = 3600;

/** What a low rate has to be of: a rate of fewer reads says nothing, as at night, when each entry has expired. */
const MIN_READS = 100;
/** The same of requests, of which a cold start is one. */
const MIN_REQUESTS = 50;

/** Alarms of the API, its cache as it sees it, and the functions beside it. */
export const SERVICE_ALARMS = {
  'redis-connection-failures': {
    says: 'Processes of the API cannot open connections to Redis, or lose them',
    metrics: { failures: { own: 'RedisConnectionFailures', statistic: 'Sum' } },
    threshold: 5,
    reason:
      'Requirement R20. One process tries again each 2 s at the most: six in a minute are a Redis that is away, or a fleet that cannot reach it.',
    periodSeconds: MINUTE,
    periods: { bad: 1, of: 1 },
    severity: 'page',
    rollsBack: false,
  },
  'cache-miss-rate': {
    says: 'More than one read in five is not answered by the cache',
    metrics: {
      hits: { own: 'CacheHits', statistic: 'Sum' },
      misses: { own: 'CacheMisses', statistic: 'Sum' },
    },
    expression: `IF(hits + misses >= ${MIN_READS}, 100 * misses / (hits + misses), 0)`,
    threshold: 20,
    reason: 'Requirement R20. A flush costs hits for up to ten minutes (R7), and 15 are longer than that.',
    periodSeconds: FIVE_MINUTES,
    periods: { bad: 3, of: 3 },
    severity: 'ticket',
    rollsBack: false,
  },
  'api-latency': {
    says: 'One request in twenty takes too long',
    metrics: {
      latency: { aws: 'apiLatency', statistic: 'p95' },
      requests: { aws: 'apiRequests', statistic: 'Sum' },
    },
    expression: `IF(requests >= ${MIN_REQUESTS}, latency, 0)`,
    threshold: 200,
    reason: `Requirement R20, in milliseconds. Of fewer than ${MIN_REQUESTS} requests a few cold starts are the 95th percentile.`,
    periodSeconds: FIVE_MINUTES,
    periods: { bad: 2, of: 2 },
    severity: 'page',
    rollsBack: false,
  },
  'api-errors': {
    says: 'More than one request in a hundred fails',
    metrics: {
      errors: { aws: 'apiServerErrors', statistic: 'Sum' },
      requests: { aws: 'apiRequests', statistic: 'Sum' },
    },
    expression: 'IF(errors > 1, 100 * errors / requests, 0)',
    threshold: 1,
    reason: 'Requirement R19, in percent. A single failure of a quiet minute is no rate.',
    periodSeconds: MINUTE,
    periods: { bad: 3, of: 5 },
    severity: 'page',
    rollsBack: false,
  },
  'redis-connections': {
    says: 'A process of the API uses nearly all connections to Redis that it may',
    metrics: { connections: { own: 'RedisConnections', statistic: 'Maximum' } },
    threshold: 8,
    reason:
      'Requirement R20: ten is the most that a process opens. For less than five minutes it is a failover or a burst.',
    periodSeconds: MINUTE,
    periods: { bad: 5, of: 5 },
    severity: 'ticket',
    rollsBack: false,
  },
  'legacy-fallbacks': {
    says: 'Un-prefixed keys are still what the cache is filled from: they do not fade away',
    metrics: {
      fallbacks: { own: 'LegacyFallbacks', by: 'namespace', statistic: 'Sum' },
      hits: { own: 'CacheHits', statistic: 'Sum' },
      misses: { own: 'CacheMisses', statistic: 'Sum' },
    },
    expression: `IF(hits + misses >= ${MIN_READS}, 100 * fallbacks / (hits + misses), 0)`,
    threshold: 1,
    reason:
      'Percent of the reads. What was there before the phase is gone after its time to live, which is minutes: what is found six hours later somebody goes on to write, as a process in the phase "legacy" does.',
    periodSeconds: HOUR,
    periods: { bad: 6, of: 6 },
    severity: 'ticket',
    rollsBack: false,
    isOf: ({ phase }) => phase === 'dual',
  },
  'stale-entries': {
    says: 'The auditor has found an entry of the cache that is older than its row, twice in a row',
    metrics: { stale: { own: 'StaleEntries', statistic: 'Sum' } },
    threshold: 0,
    reason: 'What is promised is none.',
    periodSeconds: FIVE_MINUTES,
    periods: { bad: 1, of: 1 },
    severity: 'page',
    rollsBack: false,
  },
  'auditor-errors': {
    says: 'The auditor fails: whether entries are stale nobody looks at',
    metrics: { errors: { aws: 'functionErrors', of: 'auditor', statistic: 'Sum' } },
    threshold: 0,
    reason: 'It runs each five minutes: a quarter of an hour without a pass is no accident.',
    periodSeconds: FIVE_MINUTES,
    periods: { bad: 3, of: 3 },
    severity: 'ticket',
    rollsBack: false,
    isOf: ({ dispatches }) => dispatches,
  },
  'uncovered-writers': {
    says: 'Somebody changes rows and invalidates nothing: a legacy instance without the mirror, or a script',
    metrics: { writers: { own: 'UncoveredWriters', statistic: 'Maximum' } },
    threshold: 0,
    reason: 'Its writes are unseen for up to a minute each. The rollout must not go on before it is found.',
    periodSeconds: FIVE_MINUTES,
    periods: { bad: 1, of: 1 },
    severity: 'page',
    rollsBack: false,
    isOf: ({ dispatches }) => dispatches,
  },
  'outbox-age': {
    says: 'Invalidations wait that nobody has confirmed: what was written then may still be read as it was',
    metrics: { age: { own: 'OutboxOldestAge', statistic: 'Maximum' } },
    threshold: 120,
    reason:
      'In seconds. The dispatcher runs each minute and leaves nothing behind while Redis answers: two minutes are two of its turns.',
    periodSeconds: MINUTE,
    periods: { bad: 2, of: 3 },
    severity: 'page',
    rollsBack: false,
    isOf: ({ dispatches }) => dispatches,
  },
  'dispatcher-errors': {
    says: 'The dispatcher fails: writes that answered "pending" stay unseen',
    metrics: { errors: { aws: 'functionErrors', of: 'dispatcher', statistic: 'Sum' } },
    threshold: 0,
    reason: 'A turn that fails is made good by the next one: three of five are not.',
    periodSeconds: MINUTE,
    periods: { bad: 3, of: 5 },
    severity: 'page',
    rollsBack: false,
    isOf: ({ dispatches }) => dispatches,
  },
  'flush-failed': {
    says: 'The scheduled flush has failed',
    metrics: { errors: { aws: 'functionErrors', of: 'flush', statistic: 'Sum' } },
    threshold: 0,
    reason: 'It runs once a day, and is not repeated by itself.',
    periodSeconds: FIVE_MINUTES,
    periods: { bad: 1, of: 1 },
    severity: 'ticket',
    rollsBack: false,
  },
  'dead-letters': {
    says: 'An invocation that nobody waited for has failed, and its event is kept',
    metrics: { letters: { aws: 'deadLetters', statistic: 'Maximum' } },
    threshold: 0,
    reason: 'Nothing takes them out but people: it is red until the queue is empty.',
    periodSeconds: FIVE_MINUTES,
    periods: { bad: 1, of: 1 },
    severity: 'ticket',
    rollsBack: false,
  },
  'lambda-throttles': {
    says: 'Lambda turns requests of the API away: the account has no sandbox left for them',
    metrics: { throttles: { aws: 'functionThrottles', of: 'api', statistic: 'Sum' } },
    threshold: 0,
    reason: 'Each is a request that was answered 503.',
    periodSeconds: MINUTE,
    periods: { bad: 1, of: 1 },
    severity: 'page',
    rollsBack: false,
  },
  'database-connections': {
    says: 'The database has nearly as many connections as it takes',
    metrics: { connections: { aws: 'databaseConnections', statistic: 'Maximum' } },
    threshold: ({ maxDatabaseConnections = 0 }) => Math.floor(0.8 * maxDatabaseConnections),
    reason:
      'Four fifths: the last ones are reserved for its owner, and a deployment doubles the sandboxes for a while.',
    periodSeconds: MINUTE,
    periods: { bad: 3, of: 3 },
    severity: 'page',
    rollsBack: false,
    isOf: ({ maxDatabaseConnections }) => maxDatabaseConnections !== undefined,
  },
  'flag-count': {
    says: 'There are more flags than the cache was sized for',
    metrics: { flags: { own: 'FlagCount', statistic: 'Maximum' } },
    threshold: 5000,
    reason:
      'Requirement R21: the set is one value of Redis, and at 5,000 flags some megabytes of each read that misses.',
    periodSeconds: HOUR,
    periods: { bad: 1, of: 1 },
    severity: 'ticket',
    rollsBack: false,
  },
} as const satisfies Readonly<Record<string, AlarmDefinition>>;

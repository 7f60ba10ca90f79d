import type { AlarmDefinition, StageFacts } from './definition.ts';

const MINUTE = 60;
const FIVE_MINUTES = 300;
const MIB = 1024 * 1024;

const hasNode = ({ node }: StageFacts): boolean => node !== undefined;

const NODE = { severity: 'page', rollsBack: false, perNode: true } as const;

/** Alarms of each node of a cache of the stage’s own; of an existing one its owner has them. */
export const NODE_ALARMS = {
  'cache-memory': {
    ...NODE,
    says: 'A node of the cache is nearly full',
    metrics: { memory: { aws: 'nodeMemory', statistic: 'Maximum' } },
    threshold: 75,
    reason:
      'Requirement R20, in percent of what keys may take. Beyond 100 keys with a TTL are evicted, sessions too.',
    periodSeconds: FIVE_MINUTES,
    periods: { bad: 2, of: 2 },
    isOf: hasNode,
  },
  'cache-memory-bytes': {
    ...NODE,
    says: 'The keys have outgrown the smallest nodes that could hold them',
    metrics: { bytes: { aws: 'nodeMemoryBytes', statistic: 'Maximum' } },
    threshold: 750 * MIB,
    reason: 'Requirement R20: 750 MB. A micro node has 512, so that there the percentage speaks first.',
    periodSeconds: FIVE_MINUTES,
    periods: { bad: 2, of: 2 },
    severity: 'ticket',
    isOf: ({ node }) => node !== undefined && node.memoryGib > 1,
  },
  'cache-cpu': {
    ...NODE,
    says: 'A small node of the cache has no processor time left',
    metrics: { cpu: { aws: 'nodeCpu', statistic: 'Average' } },
    threshold: ({ node }) => Math.floor(90 / (node?.cores ?? 1)),
    reason:
      'AWS’s advice for up to two cores: 90 % of the one core that runs the commands, which is 45 % of two.',
    periodSeconds: FIVE_MINUTES,
    periods: { bad: 3, of: 3 },
    isOf: ({ node }) => node !== undefined && node.cores <= 2,
  },
  'cache-engine-cpu': {
    ...NODE,
    says: 'The thread of a node that runs the commands has no time left',
    metrics: { cpu: { aws: 'nodeEngineCpu', statistic: 'Average' } },
    threshold: 90,
    reason: 'AWS’s advice for four cores and more, in percent of the one that it can use.',
    periodSeconds: FIVE_MINUTES,
    periods: { bad: 3, of: 3 },
    isOf: ({ node }) => node !== undefined && node.cores > 2,
  },
  'cache-evictions': {
    ...NODE,
    says: 'The cache throws keys away to make room, of which some are sessions',
    metrics: { evictions: { aws: 'nodeEvictions', statistic: 'Sum' } },
    threshold: 0,
    reason: 'Under volatile-ttl those go first that expire first, whatever they are.',
    periodSeconds: FIVE_MINUTES,
    periods: { bad: 1, of: 1 },
    isOf: hasNode,
  },
  'cache-replication-lag': {
    ...NODE,
    says: 'A replica is behind its primary: a failover now would lose what it has not got',
    metrics: { lag: { aws: 'nodeReplicationLag', statistic: 'Maximum' } },
    threshold: 5,
    reason:
      'In seconds. Below one is usual; what is lost, invalidations too, is made good by the replay of the outbox only.',
    periodSeconds: MINUTE,
    periods: { bad: 5, of: 5 },
    isOf: ({ node }) => node?.hasReplicas === true,
  },
  'cache-swap': {
    ...NODE,
    says: 'A node of the cache swaps, and answers slowly when it does',
    metrics: { swap: { aws: 'nodeSwap', statistic: 'Maximum' } },
    threshold: 50 * MIB,
    reason: 'What AWS names for Memcached; for Redis it names none, and some megabytes are usual.',
    periodSeconds: FIVE_MINUTES,
    periods: { bad: 3, of: 3 },
    severity: 'ticket',
    isOf: hasNode,
  },
} as const satisfies Readonly<Record<string, AlarmDefinition>>;

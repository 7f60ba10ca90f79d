import { describe, expect, it } from '@jest/globals';
import { RootConstruct } from 'constructs';
import type { Phase } from '../../lambda/contract/environment.ts';
import type { Family } from '../../lambda/contract/families.ts';
import { validStage } from '../../lib/stage-validation.ts';
import { type ExistingVpc, readStage, type StageConfig } from '../../lib/stages.ts';
import { EXISTING_CACHE, EXISTING_DATABASE, EXISTING_VPC, ROLLOUT } from '../infra/support/existing.ts';

const dev = readStage(new RootConstruct().node);
const CACHE = { engine: 'redis', nodeType: 'cache.t3.micro', replicas: 0, multiAz: false } as const;
const DATABASE = { minCapacityUnits: 0.5, maxCapacityUnits: 2, readers: 0 };
const existing: Partial<StageConfig> = {
  vpc: { existing: EXISTING_VPC },
  cache: { existing: EXISTING_CACHE },
  database: { existing: EXISTING_DATABASE },
};

/** What the stage is told, line by line. */
function problemsOf(change: object, families?: readonly Family[]): string[] {
  try {
    validStage({ ...dev, ...change }, families);
    return [];
  } catch (error) {
    return (error as Error).message.split('\n');
  }
}

const vpcOf = (change: object) => ({ vpc: { existing: { ...EXISTING_VPC, ...change } as ExistingVpc } });
const cacheOf = (change: object) => ({ ...existing, cache: { existing: { ...EXISTING_CACHE, ...change } } });
const databaseOf = (change: object) => ({
  ...existing,
  database: { existing: { ...EXISTING_DATABASE, ...change } },
});
const stagesOf = (percents: readonly number[], minutes = 15) =>
  rolloutOf({ stages: percents.map((percent) => ({ percent, minutes })) });
const rolloutOf = (change: object) => ({ rollout: { ...ROLLOUT, ...change } });

describe('a stage', () => {
  it.each<[string, object]>([
    ['of existing things', existing],
    ['with a rollout', { rollout: ROLLOUT }],
    [
      'with stages and an approval',
      {
        rollout: {
          ...ROLLOUT,
          ...{
            stages: [
              { percent: 1, minutes: 15, approval: true },
              { percent: 60, minutes: 1985 },
            ],
          },
          comparePaths: ['/', '/api/config/flags?env=1'],
        },
      },
    ],
    ['admitting the legacy backend', { legacySecurityGroupIds: ['sg-0123456789abcdef0', 'sg-12345678'] }],
    ['with interface endpoints', { vpc: { cidr: '10.0.0.0/16', interfaceEndpoints: ['logs', 'ecr.api'] } }],
    ['with a canary of 99 %', { canary: { percent: 99, minutes: 2880 } }],
    ['with rate limits moved', { phase: 'prefixed', rateLimitsPrefixed: true }],
    ['with a replica in the same zone', { cache: { ...CACHE, replicas: 1 } }],
  ])('%s is valid', (_, change) => {
    expect(problemsOf(change)).toEqual([]);
  });

  it.each(['10.0.0.0/16', '10.255.254.0/23', '172.16.0.0/20', '172.31.0.0/16', '192.168.128.0/17'])(
    'may have a VPC of %s',
    (cidr) => {
      expect(problemsOf({ vpc: { cidr, interfaceEndpoints: [] } })).toEqual([]);
    },
  );
});

describe('a stage that AWS would refuse', () => {
  it.each<[string, object]>([
    ['logRetentionDays is 8; it must be a retention', { logRetentionDays: 8 }],
    ['monthlyBudgetDollars is 0; it must be above 0', { monthlyBudgetDollars: 0 }],
    ['flush.hourUtc is 24; it must be a whole number, 0 to 23', { flush: { dryRun: true, hourUtc: 24 } }],
    ['cacheMode is off; it must be redis or memory', { cacheMode: 'off' }],

    ['canary.percent is 0; it must be a whole number, 1 to 99', { canary: { percent: 0, minutes: 60 } }],
    [
      "canary.percent is 100; it must be a whole number, 1 to 99; for all of the traffic write canary: 'all-at-once'",
      { canary: { percent: 100, minutes: 60 } },
    ],
    ['canary.percent is 101; it must be', { canary: { percent: 101, minutes: 60 } }],
    ['canary.percent is 2.5; it must be', { canary: { percent: 2.5, minutes: 60 } }],
    ['canary.percent is NaN; it must be', { canary: { percent: Number.NaN, minutes: 60 } }],
    ['canary.minutes is 0; it must be a whole number, 1 to 2880', { canary: { percent: 5, minutes: 0 } }],
    ['canary.minutes is 2881; it must be', { canary: { percent: 5, minutes: 2881 } }],
    ['canary is linear; it must be all-at-once or { percent, minutes }', { canary: 'linear' }],

    ['cache.engine is memcached; it must be redis or valkey', { cache: { ...CACHE, engine: 'memcached' } }],
    ['cache.nodeType is t3.micro; it must be like', { cache: { ...CACHE, nodeType: 't3.micro' } }],
    ['cache.replicas is 6; it must be a whole number, 0 to 5', { cache: { ...CACHE, replicas: 6 } }],
    ['cache.replicas is -1; it must be', { cache: { ...CACHE, replicas: -1 } }],
    [
      'cache.multiAz is true; it must be false with cache.replicas 0; set cache.replicas to 1',
      { cache: { ...CACHE, multiAz: true } },
    ],

    [
      'database.minCapacityUnits is 0.7; it must be a multiple of 0.5, 0 to 256',
      { database: { ...DATABASE, minCapacityUnits: 0.7 } },
    ],
    ['database.minCapacityUnits is -0.5; it must be', { database: { ...DATABASE, minCapacityUnits: -0.5 } }],
    [
      'database.maxCapacityUnits is 2; it must be a multiple of 0.5, 4 to 256',
      { database: { ...DATABASE, minCapacityUnits: 4 } },
    ],
    [
      'database.maxCapacityUnits is 0.5; it must be a multiple of 0.5, 1 to 256',
      { database: { ...DATABASE, maxCapacityUnits: 0.5 } },
    ],
    ['database.readers is 16; it must be', { database: { ...DATABASE, readers: 16 } }],

    [
      'api.requestsPerSecond is 10001; it must be',
      { api: { requestsPerSecond: 10_001, burstRequests: 20_000 } },
    ],
    ['api.burstRequests is 149; it must be', { api: { requestsPerSecond: 150, burstRequests: 149 } }],
    [
      'publicFlags.requestsPerSecond is 101; it must be',
      { publicFlags: { requestsPerSecond: 101, burstRequests: 150 } },
    ],
    [
      'publicFlags.burstRequests is 201; it must be',
      { publicFlags: { requestsPerSecond: 50, burstRequests: 201 } },
    ],
    [
      'publicFlags.burstRequests is 49; it must be',
      { publicFlags: { requestsPerSecond: 50, burstRequests: 49 } },
    ],

    [
      'vpc.interfaceEndpoints is ["logs","logs"]; it must be without repetition',
      { vpc: { cidr: '10.0.0.0/16', interfaceEndpoints: ['logs', 'logs'] } },
    ],
    [
      'vpc.interfaceEndpoints[1] is com.amazonaws. logs; it must be an AWS service',
      { vpc: { cidr: '10.0.0.0/16', interfaceEndpoints: ['logs', 'com.amazonaws. logs'] } },
    ],
    [
      'vpc.existing.vpcId is subnet-12345678; it must be an id like vpc-',
      vpcOf({ vpcId: 'subnet-12345678' }),
    ],
    ['vpc.existing.vpcId is not set; it must be an id like vpc-', vpcOf({ vpcId: undefined })],
    [
      'vpc.existing.isolatedSubnetIds[1] is vpc-0; it must be an id like subnet-',
      vpcOf({ isolatedSubnetIds: ['subnet-aaaaaaaa', 'vpc-0'] }),
    ],
    [
      'vpc.existing.isolatedSubnetIds is ["subnet-aaaaaaaa","subnet-aaaaaaaa"]; it must be without repetition',
      vpcOf({ isolatedSubnetIds: ['subnet-aaaaaaaa', 'subnet-aaaaaaaa'] }),
    ],
    [
      'vpc.existing.isolatedSubnetIds is ["subnet-aaaaaaaa"]; it must be one subnet in each zone of vpc.existing.availabilityZones, which are 2',
      vpcOf({ isolatedSubnetIds: ['subnet-aaaaaaaa'] }),
    ],
    [
      'vpc.existing.availabilityZones is ["eu-west-1a","eu-west-1a"]; it must be without repetition',
      vpcOf({ availabilityZones: ['eu-west-1a', 'eu-west-1a'] }),
    ],

    ['legacySecurityGroupIds[0] is sg-; it must be an id like sg-', { legacySecurityGroupIds: ['sg-'] }],
    [
      'legacySecurityGroupIds is ["sg-12345678","sg-12345678"]; it must be without repetition',
      { legacySecurityGroupIds: ['sg-12345678', 'sg-12345678'] },
    ],
    ['legacySecurityGroupIds is not set; it must be a list', { legacySecurityGroupIds: undefined }],

    [
      'cache.existing.securityGroupId is not set; it must be an id like sg-',
      cacheOf({ securityGroupId: undefined }),
    ],
    ['cache.existing.securityGroupId is default; it must be', cacheOf({ securityGroupId: 'default' })],
    ['cache.existing.secretArn is not set; it must be the whole ARN', cacheOf({ secretArn: '' })],
    ['cache.existing.secretArn is cutover; it must be the whole ARN', cacheOf({ secretArn: 'cutover' })],
    [
      'cache.existing.host is rediss://cache.example; it must be a host name, without scheme, port and path',
      cacheOf({ host: 'rediss://cache.example' }),
    ],
    ['cache.existing.host is cache.example:6379; it must be', cacheOf({ host: 'cache.example:6379' })],
    ['cache.existing.port is 0; it must be a whole number, 1 to 65535', cacheOf({ port: 0 })],
    ['cache.existing.port is 65536; it must be', cacheOf({ port: 65_536 })],
    ['cache.existing.port is not set; it must be', cacheOf({ port: undefined })],

    ['database.existing.securityGroupId is not set; it must be', databaseOf({ securityGroupId: '' })],
    ['database.existing.secretArn is not set; it must be', databaseOf({ secretArn: undefined })],
    ['database.existing.host is postgres://db; it must be', databaseOf({ host: 'postgres://db' })],
    ['database.existing.port is 70000; it must be', databaseOf({ port: 70_000 })],
    [
      'database.existing.databaseName is my shop; it must be a name of letters',
      databaseOf({ databaseName: 'my shop' }),
    ],

    [
      'rollout.stages[1].percent is 5; it must be a whole number above 5, 100 at the most: stages grow',
      stagesOf([5, 5, 100]),
    ],
    ['rollout.stages[1].percent is 25; it must be a whole number above 50', stagesOf([50, 25])],
    ['rollout.stages[0].percent is 0; it must be a whole number above 0', stagesOf([0, 50])],
    ['rollout.stages[0].percent is 101; it must be', stagesOf([101])],
    ['rollout.stages[0].percent is 2.5; it must be', stagesOf([2.5])],
    ['rollout.stages is []; it must be a list of { percent, minutes }', stagesOf([])],
    ['rollout.stages[0].minutes is 14; it must be a whole number, 15 to 2000', stagesOf([5], 14)],
    ['rollout.stages is [1500,1500]; it must be of 2000 minutes at the most', stagesOf([5, 100], 1500)],
    [
      'rollout.stages[0].approval is true; it must be left out: nothing comes after the last stage',
      rolloutOf({ stages: [{ percent: 100, minutes: 15, approval: true }] }),
    ],
    [
      'rollout.comparePaths[0] is //evil.example; it must be a path',
      rolloutOf({ comparePaths: ['//evil.example'] }),
    ],
    [
      'rollout.comparePaths[1] is https://a; it must be a path',
      rolloutOf({ comparePaths: ['/a', 'https://a'] }),
    ],
    ['rollout.comparePaths is []; it must be at least one path', rolloutOf({ comparePaths: [] })],

    ['rollout.domainName is not set; it must be a domain name', rolloutOf({ domainName: '' })],
    ['rollout.domainName is https://a.example; it must be', rolloutOf({ domainName: 'https://a.example' })],
    ['rollout.domainName is localhost; it must be', rolloutOf({ domainName: 'localhost' })],
    ['rollout.certificateArn is not set; it must be the ARN', rolloutOf({ certificateArn: undefined })],
    [
      'rollout.certificateArn is arn:aws:iam::111122223333:server-certificate/a; it must be',
      rolloutOf({ certificateArn: 'arn:aws:iam::111122223333:server-certificate/a' }),
    ],
    ['rollout.hostedZoneId is not set; it must be an id like Z', rolloutOf({ hostedZoneId: '' })],
    [
      'rollout.hostedZoneId is /hostedzone/Z0123; it must be',
      rolloutOf({ hostedZoneId: '/hostedzone/Z0123' }),
    ],
    ['rollout.legacyTarget is not set; it must be a domain name', rolloutOf({ legacyTarget: '' })],
    [
      `rollout.legacyTarget is ${ROLLOUT.domainName}; it must be another name than rollout.domainName`,
      rolloutOf({ legacyTarget: ROLLOUT.domainName }),
    ],
  ])('is told, and nothing else: %s', (problem, change) => {
    expect(problemsOf(change)).toEqual([expect.stringContaining(`stages: dev: ${problem}`)]);
  });

  it('is told of a single zone, which has one subnet', () => {
    const { availabilityZones, isolatedSubnetIds } = EXISTING_VPC;
    const [zone, subnet] = [availabilityZones.slice(0, 1), isolatedSubnetIds.slice(0, 1)];
    expect(problemsOf(vpcOf({ availabilityZones: zone, isolatedSubnetIds: subnet }))).toEqual([
      expect.stringContaining(
        'vpc.existing.availabilityZones is ["eu-central-1a"]; it must be at least two zones',
      ),
    ]);
  });

  it.each([
    '10.0.0.0/15',
    '10.0.0.0/24',
    '10.0.0.0/28',
    '10.0.0.0/8',
    '10.0.0.0',
    '10.0.1.0/16',
    '10.0.0.0/016',
    '172.32.0.0/16',
    '192.169.0.0/16',
    '8.8.0.0/16',
    '300.0.0.0/16',
    'fd00::/16',
    '',
  ])('is told of a VPC of "%s" and what fits', (cidr) => {
    expect(problemsOf({ vpc: { cidr, interfaceEndpoints: [] } })).toEqual([
      `stages: dev: vpc.cidr is ${cidr || 'not set'}; it must be a block of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16 that begins at its first address and is a /16 to /23, so that two subnets of /24 fit: as 10.0.0.0/16`,
    ]);
  });

  it.each([
    ['cache', { cache: { existing: EXISTING_CACHE } }],
    ['database', { database: { existing: EXISTING_DATABASE } }],
  ])('is told that an existing %s is in a VPC that exists', (name, change) => {
    expect(problemsOf(change)).toEqual([
      `stages: dev: vpc is {"cidr":"10.0.0.0/16","interfaceEndpoints":[]}; it must be vpc.existing, the VPC of ${name}.existing: nothing leaves a VPC of its own`,
    ]);
  });

  it('is told all that is wrong at once', () => {
    const broken = {
      phase: 'legacy',
      rateLimitsPrefixed: true,
      vpc: { cidr: '10.0.0.0/30', interfaceEndpoints: [] },
      cache: { ...CACHE, multiAz: true },
      canary: { percent: 101, minutes: 0 },
      flush: { dryRun: true, hourUtc: 99 },
      rollout: { ...ROLLOUT, hostedZoneId: '', certificateArn: '' },
    };
    expect(problemsOf(broken).map((line) => line.split(';')[0])).toEqual([
      'stages: dev: rateLimitsPrefixed is true',
      'stages: dev: vpc.cidr is 10.0.0.0/30',
      'stages: dev: cache.multiAz is true',
      'stages: dev: canary.percent is 101',
      'stages: dev: canary.minutes is 0',
      'stages: dev: flush.hourUtc is 99',
      'stages: dev: rollout.certificateArn is not set',
      'stages: dev: rollout.hostedZoneId is not set',
    ]);
  });
});

describe('phases that contradict each other', () => {
  it.each<[Phase, boolean]>([
    ['legacy', false],
    ['isolated', false],
    ['dual', true],
    ['prefixed', true],
  ])('rate limits moved in phase %s: allowed is %s', (phase, isAllowed) => {
    const wanted = `false in phase ${phase}; set phase to dual first`;
    expect(problemsOf({ phase, rateLimitsPrefixed: true })).toEqual(
      isAllowed ? [] : [`stages: dev: rateLimitsPrefixed is true; it must be ${wanted}`],
    );
  });

  it.each<[Phase, readonly Phase[]]>([
    ['legacy', ['legacy', 'isolated', 'dual']],
    ['isolated', ['legacy', 'isolated']],
    ['dual', ['legacy', 'dual', 'prefixed']],
    ['prefixed', ['dual', 'prefixed']],
  ])('a family in %s goes with a stage in %j only', (own, near) => {
    const families: Family[] = [
      { name: 'plain', kind: 'cache', onFlush: 'flush', ttlSeconds: 60 },
      { name: 'ahead', kind: 'cache', onFlush: 'flush', ttlSeconds: 60, phase: own },
    ];
    const all: Phase[] = ['legacy', 'isolated', 'dual', 'prefixed'];
    expect(all.filter((phase) => problemsOf({ phase }, families).length === 0)).toEqual(near);
    const far = all.find((phase) => !near.includes(phase));
    const wanted = [own, ...near.filter((phase) => phase !== own)].join(' or ');
    expect(problemsOf({ phase: far }, families)).toEqual([
      `stages: dev: phase is ${far}; it must be ${wanted}, as the family ahead is in ${own}`,
    ]);
  });
});

import { describe, expect, it } from '@jest/globals';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Peer, Port } from 'aws-cdk-lib/aws-ec2';
import { DataStack } from '../../../lib/data/data-stack.ts';
import { NetworkStack } from '../../../lib/network/network-stack.ts';
import { readStage, type StageConfig } from '../../../lib/stages.ts';
import { EXISTING_CACHE, EXISTING_DATABASE, EXISTING_VPC } from '../../infra/support/existing.ts';
import { EXPECTED_RULES, rulesOf as rulesIn } from '../../infra/support/security-rules.ts';
import {
  createApp,
  onlyResource,
  resourcesOf,
  STACK_PARTS,
  synthesize,
} from '../../infra/support/synthesis.ts';

const rulesOf = (template: Template): string[] => rulesIn(resourcesOf(template));

describe('the network stack', () => {
  const { network } = synthesize('dev');

  it('opens 6379 from the Lambda group to the cache group, 5432 to the database group, and nothing else', () => {
    expect(rulesOf(network)).toEqual(EXPECTED_RULES);
  });

  it.each([
    ['an address', Peer.anyIpv4()],
    ['an IPv6 address', Peer.anyIpv6()],
  ])('would notice a rule for %s', (_, peer) => {
    const { stacks } = createApp('dev');
    stacks.network.securityGroups.cache.addIngressRule(peer, Port.tcp(6379));
    expect(rulesOf(Template.fromStack(stacks.network))).not.toEqual(EXPECTED_RULES);
  });

  it('would notice a group that talks to itself', () => {
    const { stacks } = createApp('dev');
    const { lambda } = stacks.network.securityGroups;
    lambda.connections.allowInternally(Port.allTraffic());
    expect(rulesOf(Template.fromStack(stacks.network))).not.toEqual(EXPECTED_RULES);
  });

  it('has no rule for an endpoint that no function was granted', () => {
    const app = new App();
    const stage = readStage(app.node);
    const alone = new NetworkStack(app, { stage });
    new DataStack(app, { stage, network: alone });
    expect(rulesOf(Template.fromStack(alone)).filter((rule) => rule.includes('tcp'))).toEqual([]);
  });

  it('has isolated subnets in two zones and no way out of them', () => {
    const zones = resourcesOf(network, 'AWS::EC2::Subnet').map(([, subnet]) => subnet.Properties);
    expect(zones.map((subnet) => subnet['AvailabilityZone'])).toEqual([
      { 'Fn::Select': [0, { 'Fn::GetAZs': '' }] },
      { 'Fn::Select': [1, { 'Fn::GetAZs': '' }] },
    ]);
    expect(zones.map((subnet) => subnet['MapPublicIpOnLaunch'])).toEqual([false, false]);
    const waysOut = ['InternetGateway', 'NatGateway', 'EgressOnlyInternetGateway', 'VPCEndpoint', 'Route'];
    for (const type of waysOut) network.resourceCountIs(`AWS::EC2::${type}`, 0);
  });

  it('logs its traffic to a group of its own', () => {
    const [, flowLog] = onlyResource(network, 'AWS::EC2::FlowLog');
    const destination = flowLog.Properties['LogGroupName'] as { Ref: string };
    const logGroups = Object.fromEntries(resourcesOf(network, 'AWS::Logs::LogGroup'));
    expect(flowLog.Properties).toMatchObject({ ResourceType: 'VPC', TrafficType: 'ALL' });
    expect(logGroups[destination.Ref]?.Properties).toMatchObject({ RetentionInDays: 7 });
  });

  it('closes the default security group', () => {
    network.resourceCountIs('Custom::VpcRestrictDefaultSG', 1);
  });
});

const inside = (change: Partial<StageConfig>) => ({
  change: (stage: StageConfig) => ({ ...stage, ...change }),
});
/** How the CDK writes "no outbound traffic". */
const NOTHING = '255.255.255.255/32 icmp 252-86';

describe('the VPC of a stage', () => {
  it('is the block that the stage names, with two subnets of 256 addresses', () => {
    const { network } = synthesize('dev', inside({ vpc: { cidr: '172.20.6.0/23', interfaceEndpoints: [] } }));
    expect(onlyResource(network, 'AWS::EC2::VPC')[1].Properties['CidrBlock']).toBe('172.20.6.0/23');
    expect(
      resourcesOf(network, 'AWS::EC2::Subnet').map(([, { Properties }]) => Properties['CidrBlock']),
    ).toEqual(['172.20.6.0/24', '172.20.7.0/24']);
  });

  it('has the interface endpoints that the stage names, open on 443 to the functions and to nobody else', () => {
    const vpc = { cidr: '10.0.0.0/16', interfaceEndpoints: ['secretsmanager', 'monitoring'] };
    const { network } = synthesize('dev', inside({ vpc }));
    const endpoints = resourcesOf(network, 'AWS::EC2::VPCEndpoint').map(([, { Properties }]) => Properties);
    expect(endpoints.map(({ ServiceName: name }) => JSON.stringify(name))).toEqual([
      expect.stringMatching(/com\.amazonaws\..*AWS::Region.*\.secretsmanager/),
      expect.stringMatching(/com\.amazonaws\..*AWS::Region.*\.monitoring/),
    ]);
    for (const endpoint of endpoints) {
      expect(endpoint).toMatchObject({ VpcEndpointType: 'Interface', PrivateDnsEnabled: true });
      expect(endpoint['SubnetIds']).toHaveLength(2);
      expect(JSON.stringify(endpoint['SecurityGroupIds'])).toMatch(/^\[\{"Fn::GetAtt":\["Endpoints[^{]*$/);
    }
    expect(rulesOf(network)).toEqual(
      [
        ...EXPECTED_RULES,
        `Endpoints -> ${NOTHING}`,
        'Endpoints <- Lambda tcp 443-443',
        'Lambda -> Endpoints tcp 443-443',
      ].sort(),
    );
  });
});

describe('an existing VPC', () => {
  const stage = synthesize('dev', inside({ vpc: { existing: EXISTING_VPC } }));

  it('is not made once more, and its flow logs are its owner’s', () => {
    for (const type of ['VPC', 'Subnet', 'RouteTable', 'FlowLog']) {
      stage.network.resourceCountIs(`AWS::EC2::${type}`, 0);
    }
  });

  it('is where the groups, the functions, the cache and the database are', () => {
    const groups = resourcesOf(stage.network, 'AWS::EC2::SecurityGroup');
    expect(groups.map(([, { Properties }]) => Properties['VpcId'])).toEqual(
      groups.map(() => EXISTING_VPC.vpcId),
    );
    expect(groups).toHaveLength(3);
    const inVpc = [
      ...resourcesOf(stage.data, 'AWS::ElastiCache::SubnetGroup'),
      ...resourcesOf(stage.data, 'AWS::RDS::DBSubnetGroup'),
      ...resourcesOf(stage.service, 'AWS::Lambda::Function').filter(
        ([, { Properties }]) => Properties['VpcConfig'],
      ),
    ];
    const subnetsOf = (properties: Readonly<Record<string, unknown>>): unknown =>
      (properties['VpcConfig'] as Record<string, unknown> | undefined)?.['SubnetIds'] ??
      properties['SubnetIds'];
    expect(inVpc.length).toBeGreaterThan(5);
    for (const [, { Properties }] of inVpc) {
      expect(subnetsOf(Properties)).toEqual(EXISTING_VPC.isolatedSubnetIds);
    }
  });

  it('has the same rules as a VPC of the stage’s own', () => {
    expect(rulesOf(stage.network)).toEqual(EXPECTED_RULES);
  });

  it('is known by its ids: nothing is looked up, and nobody is warned', () => {
    const { app } = createApp('dev', {
      ...inside({ vpc: { existing: EXISTING_VPC } }),
      env: { account: '111122223333', region: 'eu-central-1' },
    });
    const assembly = app.synth();
    expect(assembly.manifest.missing ?? []).toEqual([]);
    expect(assembly.stacks.flatMap(({ messages }) => messages.map(({ entry }) => entry.data))).toEqual([]);
  });
});

describe('an existing cache and database', () => {
  const existing = {
    vpc: { existing: EXISTING_VPC },
    cache: { existing: EXISTING_CACHE },
    database: { existing: EXISTING_DATABASE },
  };
  const cache = EXISTING_CACHE.securityGroupId;
  const database = EXISTING_DATABASE.securityGroupId;
  const rules = [
    `${cache} <- Lambda tcp 6390-6390`,
    `${database} <- Lambda tcp 5490-5490`,
    `Lambda -> ${cache} tcp 6390-6390`,
    `Lambda -> ${database} tcp 5490-5490`,
  ];

  it('keep their groups, which admit the functions on their own ports', () => {
    const { network } = synthesize('dev', inside(existing));
    network.resourceCountIs('AWS::EC2::SecurityGroup', 1);
    expect(rulesOf(network)).toEqual([...rules].sort());
  });

  it('admit the legacy backend to the cache’s own port where the stage says so', () => {
    const legacySecurityGroupIds = ['sg-0eeee00000000000e'];
    const { network } = synthesize('dev', inside({ ...existing, legacySecurityGroupIds }));
    expect(rulesOf(network)).toEqual([...rules, `${cache} <- sg-0eeee00000000000e tcp 6390-6390`].sort());
  });
});

describe('the legacy backend', () => {
  const legacySecurityGroupIds = ['sg-0aaaa00000000000a', 'sg-0bbbb00000000000b'];
  const stage = synthesize('dev', inside({ legacySecurityGroupIds }));

  it('is admitted to the cache on 6379, by each of its groups, and to nothing else', () => {
    expect(rulesOf(stage.network)).toEqual(
      [...EXPECTED_RULES, ...legacySecurityGroupIds.map((id) => `Cache <- ${id} tcp 6379-6379`)].sort(),
    );
  });
});

it('every rule is of the network stack', () => {
  const stage = synthesize('production');
  const rules = STACK_PARTS.flatMap((part) => (part === 'network' ? [] : rulesOf(stage[part])));
  expect(rules).toEqual([]);
});

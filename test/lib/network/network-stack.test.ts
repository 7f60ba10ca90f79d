import { describe, expect, it } from '@jest/globals';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Peer, Port } from 'aws-cdk-lib/aws-ec2';
import { DataStack } from '../../../lib/data/data-stack.ts';
import { NetworkStack } from '../../../lib/network/network-stack.ts';
import { readStage } from '../../../lib/stages.ts';
import { createApp, onlyResource, resourcesOf, synthesize } from '../../infra/support/synthesis.ts';

/** Every rule of every security group, inline or not: who, with whom, on which ports. */
function rulesOf(template: Template): string[] {
  const nameOf = (reference: unknown): string => {
    const id = JSON.stringify(reference ?? 'nobody');
    return ['Lambda', 'Cache', 'Database'].find((role) => id.includes(`SecurityGroups${role}`)) ?? id;
  };
  const text = (direction: string, group: string, rule: Readonly<Record<string, unknown>>): string => {
    const peer = rule['CidrIp'] ?? rule['CidrIpv6'] ?? nameOf(rule[`${direction}SecurityGroupId`]);
    const arrow = direction === 'Source' ? `${group} <- ${peer}` : `${group} -> ${peer}`;
    return `${arrow} ${rule['IpProtocol']} ${rule['FromPort']}-${rule['ToPort']}`;
  };
  const separate = (type: string, direction: string): string[] =>
    resourcesOf(template, type).map(([, { Properties }]) =>
      text(direction, nameOf(Properties['GroupId']), Properties),
    );
  const inline = (property: string, direction: string): string[] =>
    resourcesOf(template, 'AWS::EC2::SecurityGroup').flatMap(([id, { Properties }]) =>
      ((Properties[property] ?? []) as Record<string, unknown>[]).map((rule) =>
        text(direction, nameOf(id), rule),
      ),
    );
  return [
    ...separate('AWS::EC2::SecurityGroupIngress', 'Source'),
    ...separate('AWS::EC2::SecurityGroupEgress', 'Destination'),
    ...inline('SecurityGroupIngress', 'Source'),
    ...inline('SecurityGroupEgress', 'Destination'),
  ].sort();
}

const EXPECTED_RULES = [
  // How the CDK writes "no outbound traffic": a group without a rule would get "all of it".
  'Cache -> 255.255.255.255/32 icmp 252-86',
  'Cache <- Lambda tcp 6379-6379',
  'Database -> 255.255.255.255/32 icmp 252-86',
  'Database <- Lambda tcp 5432-5432',
  'Lambda -> Cache tcp 6379-6379',
  'Lambda -> Database tcp 5432-5432',
];

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

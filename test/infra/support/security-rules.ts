import type { Resource } from './synthesis.ts';

const ROLES = ['SecurityGroupsLambda', 'SecurityGroupsCache', 'SecurityGroupsDatabase', 'Endpoints'];

/** Every rule of every security group, inline or not: who, with whom, on which ports. */
export function rulesOf(resources: readonly (readonly [string, Resource])[]): string[] {
  const ofType = (type: string) => resources.filter(([, { Type }]) => Type === type);
  const nameOf = (reference: unknown): string => {
    const id = JSON.stringify(reference ?? 'nobody');
    const known = ROLES.find((role) => id.includes(role)) ?? id;
    return known.replace('SecurityGroups', '').replaceAll('"', '');
  };
  const text = (direction: string, group: string, rule: Readonly<Record<string, unknown>>): string => {
    const peer = rule['CidrIp'] ?? rule['CidrIpv6'] ?? nameOf(rule[`${direction}SecurityGroupId`]);
    const arrow = direction === 'Source' ? `${group} <- ${peer}` : `${group} -> ${peer}`;
    return `${arrow} ${rule['IpProtocol']} ${rule['FromPort']}-${rule['ToPort']}`;
  };
  const separate = (type: string, direction: string): string[] =>
    ofType(type).map(([, { Properties }]) => text(direction, nameOf(Properties['GroupId']), Properties));
  const inline = (property: string, direction: string): string[] =>
    ofType('AWS::EC2::SecurityGroup').flatMap(([id, { Properties }]) =>
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

/** What is open in a stage with servers of its own, and nothing else is. */
export const EXPECTED_RULES: readonly string[] = [
  // How the CDK writes "no outbound traffic": a group without a rule would get "all of it".
  'Cache -> 255.255.255.255/32 icmp 252-86',
  'Cache <- Lambda tcp 6379-6379',
  'Database -> 255.255.255.255/32 icmp 252-86',
  'Database <- Lambda tcp 5432-5432',
  'Lambda -> Cache tcp 6379-6379',
  'Lambda -> Database tcp 5432-5432',
];

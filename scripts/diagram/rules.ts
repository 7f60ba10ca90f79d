import { type Found, type Resources, textOf } from './resources.ts';

/** That one security group may connect to another, or to an address: both groups have to say so. */
export interface Rule {
  /** The group's name in the app (`Lambda`), its id if it is not deployed here, or an address. */
  readonly from: string;
  readonly to: string;
  /** `6379`, `0-65535`, or `all`. */
  readonly port: string;
  readonly protocol: string;
  /** Whether the group that connects lets it out; undefined for one that is not deployed here. */
  readonly outbound: boolean | undefined;
  /** Whether the group that is connected to lets it in; undefined for one that is not deployed here. */
  readonly inbound: boolean | undefined;
  readonly description: string;
}

interface HalfRule extends Pick<Rule, 'from' | 'to' | 'port' | 'protocol' | 'description'> {
  readonly direction: 'inbound' | 'outbound';
}

/** How the CDK writes that a group lets nothing out: without a rule, AWS would let out everything. */
const NOTHING = '255.255.255.255/32';

/** The rules between groups, sorted: a line for each pair and port, whichever side they are written on. */
export function rulesOf(resources: Resources): readonly Rule[] {
  const groups = resources.ofType('AWS::EC2::SecurityGroup');
  const peer = (value: unknown, stack: string): string | undefined =>
    resources.namedIn(value, stack).find(({ type }) => type === 'AWS::EC2::SecurityGroup')?.name ??
    (typeof value === 'string' ? value : undefined);

  const half = (direction: HalfRule['direction'], rule: object, own: unknown, stack: string): HalfRule => {
    const fields = rule as Readonly<Record<string, unknown>>;
    const otherGroup =
      fields[direction === 'inbound' ? 'SourceSecurityGroupId' : 'DestinationSecurityGroupId'];
    const other = peer(otherGroup, stack) ?? textOf(fields['CidrIp'] ?? fields['CidrIpv6']) ?? '?';
    const self = peer(own, stack) ?? '?';
    const { FromPort: first, ToPort: last, IpProtocol: protocol } = fields;
    return {
      direction,
      from: direction === 'inbound' ? other : self,
      to: direction === 'inbound' ? self : other,
      port: first === undefined ? 'all' : first === last ? String(first) : `${first}-${last}`,
      protocol: String(protocol),
      description: textOf(fields['Description']),
    };
  };
  const separate = (type: string, direction: HalfRule['direction']): HalfRule[] =>
    resources
      .ofType(type)
      .map(({ properties, stack }) => half(direction, properties, properties['GroupId'], stack));
  const inline = ({ id, properties, stack }: Found): HalfRule[] => [
    ...listOf(properties['SecurityGroupIngress']).map((rule) => half('inbound', rule, { Ref: id }, stack)),
    ...listOf(properties['SecurityGroupEgress']).map((rule) => half('outbound', rule, { Ref: id }, stack)),
  ];

  const halves = [
    ...separate('AWS::EC2::SecurityGroupIngress', 'inbound'),
    ...separate('AWS::EC2::SecurityGroupEgress', 'outbound'),
    ...groups.flatMap(inline),
  ].filter(({ to }) => to !== NOTHING);
  return joined(halves, new Set(groups.map(({ name }) => name)));
}

function joined(halves: readonly HalfRule[], deployed: ReadonlySet<string>): Rule[] {
  const keyOf = ({ from, to, port, protocol }: HalfRule): string => [from, to, port, protocol].join(' ');
  const keys = [...new Set(halves.map(keyOf))].sort();
  return keys.flatMap((key) => {
    const same = halves.filter((each) => keyOf(each) === key);
    const [first] = same;
    if (!first) return [];
    const { direction: _direction, ...rule } = first;
    const has = (direction: HalfRule['direction']) => same.some((each) => each.direction === direction);
    return [
      {
        ...rule,
        outbound: deployed.has(rule.from) ? has('outbound') : undefined,
        inbound: deployed.has(rule.to) ? has('inbound') : undefined,
      },
    ];
  });
}

const listOf = (value: unknown): readonly object[] => (Array.isArray(value) ? value : []);

/** Whether a rule lets connections through, as far as this stage has a say in it. */
export const isOpen = ({ inbound, outbound }: Rule): boolean => inbound !== false && outbound !== false;

/** The rules as a table in Markdown. */
export function rulesTable(rules: readonly Rule[]): string {
  const side = (has: boolean | undefined): string => (has === undefined ? 'its owner’s' : has ? 'yes' : 'NO');
  const rows = rules.map((rule) => [
    rule.from,
    rule.to,
    `${rule.protocol} ${rule.port}`,
    side(rule.outbound),
    side(rule.inbound),
    rule.description,
  ]);
  const head = [
    'from the group',
    'to the group',
    'port',
    'outbound rule of the first',
    'inbound rule of the second',
    'what for',
  ];
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

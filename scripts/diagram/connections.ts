import { idOf, isOurs } from './functions.ts';
import type { GraphEdge, GraphNode, Part } from './model.ts';
import { type Found, type Resources, textOf } from './resources.ts';
import { isOpen, type Rule, rulesOf } from './rules.ts';

/** The cache and the database. */
export function serversIn(resources: Resources): Part & { readonly found: readonly Found[] } {
  const caches = resources.ofType('AWS::ElastiCache::ReplicationGroup');
  const databases = resources.ofType('AWS::RDS::DBCluster');
  const cacheNodes = caches.map(({ id, properties: p }): GraphNode => {
    const lines = [
      `ElastiCache, ${p['Engine']} ${p['EngineVersion']}`,
      `${p['NumCacheClusters']} × ${p['CacheNodeType']}`,
    ];
    return { id, lines, place: 'data', kind: 'server' };
  });
  const databaseNodes = databases.map(({ id, stack, properties: p }): GraphNode => {
    const instances = resources
      .ofType('AWS::RDS::DBInstance')
      .filter(({ properties }) =>
        resources.namedIn(properties['DBClusterIdentifier'], stack).some((each) => each.id === id),
      );
    const { MinCapacity: min, MaxCapacity: max } = p['ServerlessV2ScalingConfiguration'] as Record<
      string,
      number
    >;
    const lines = [`Aurora PostgreSQL ${p['EngineVersion']}`, `${instances.length} × ${min} to ${max} ACU`];
    return { id, lines, place: 'data', kind: 'server' };
  });
  return { nodes: [...cacheNodes, ...databaseNodes], edges: [], found: [...caches, ...databases] };
}

/** The functions' URLs say which server and as whom; the rules between their groups, on which port. */
export function connectionsIn(resources: Resources, servers: readonly Found[]): Part {
  const rules = rulesOf(resources).filter(isOpen);
  const groupOf = (value: unknown, stack: string) =>
    resources.namedIn(value, stack).find(({ type }) => type === 'AWS::EC2::SecurityGroup')?.name;
  const edges = resources
    .ofType('AWS::Lambda::Function')
    .filter(isOurs)
    .flatMap((fn) => {
      const { VpcConfig, Environment } = fn.properties as Readonly<
        Record<string, Record<string, unknown> | undefined>
      >;
      const variables = Object.values(Environment?.['Variables'] ?? {});
      return servers.flatMap((server): GraphEdge[] => {
        const urls = variables.filter((value) => resources.namedIn(value, fn.stack).includes(server));
        const [from, to] = [
          groupOf(VpcConfig?.['SecurityGroupIds'], fn.stack),
          groupOf(groupsOf(server), server.stack),
        ];
        const ports = rules.filter((rule) => rule.from === from && rule.to === to).map(({ port }) => port);
        if (urls.length === 0 || ports.length === 0) return [];
        const users = urls.map((url) => userOf(textOf(url))).filter(Boolean);
        const label = `${ports.join(', ')} as ${users.join(', ')}`;
        return [{ from: idOf(fn), to: server.id, label, kind: 'connection' }];
      });
    });
  return withOthers({ edges, servers, rules, groupOf });
}

/** Groups of others, which the servers let in. */
function withOthers({
  edges,
  servers,
  rules,
  groupOf,
}: {
  readonly edges: readonly GraphEdge[];
  readonly servers: readonly Found[];
  readonly rules: readonly Rule[];
  readonly groupOf: (value: unknown, stack: string) => string | undefined;
}): Part {
  const foreign = rules.filter(({ outbound }) => outbound === undefined);
  const ids = [...new Set(foreign.map(({ from }) => from))];
  return {
    nodes: ids.map((group) => ({
      id: group,
      lines: ['legacy backend', `group ${group}`],
      place: 'outside',
      kind: 'person',
    })),
    edges: [
      ...edges,
      ...servers.flatMap((server) =>
        foreign
          .filter(({ to }) => to === groupOf(groupsOf(server), server.stack))
          .map(({ from, port }): GraphEdge => ({ from, to: server.id, label: port, kind: 'connection' })),
      ),
    ],
  };
}

const groupsOf = ({ properties }: Found): unknown =>
  properties['SecurityGroupIds'] ?? properties['VpcSecurityGroupIds'];
/** `serverless` of `rediss://cutover-production-serverless@...`: what comes before is the same for all users of a stage. */
const userOf = (url: string): string =>
  (/:\/\/([^:@/]*)/.exec(url)?.[1] ?? '').replace(/^cutover-[a-z]+-/, '');

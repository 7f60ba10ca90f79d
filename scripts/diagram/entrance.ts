import { idOf } from './functions.ts';
import type { GraphEdge, GraphNode, Part } from './model.ts';
import { unique } from './model.ts';
import type { Resources } from './resources.ts';

/** What clients reach. */
export function entranceIn(resources: Resources): Part {
  const apis = resources.ofType('AWS::ApiGatewayV2::Api');
  const edges = resources
    .ofType('AWS::ApiGatewayV2::Integration')
    .flatMap(({ properties, stack }): GraphEdge[] => {
      const [api] = resources.namedIn(properties['ApiId'], stack);
      return resources
        .namedIn(properties['IntegrationUri'], stack)
        .map((target): GraphEdge => ({ from: api?.id ?? '', to: idOf(target), label: '', kind: 'call' }));
    });
  const clients: GraphNode = { id: 'clients', lines: ['clients'], place: 'outside', kind: 'person' };
  const named = recordsIn(
    resources,
    apis.map(({ id }) => id),
  );
  return {
    nodes: [
      clients,
      ...apis.map(
        ({ id }): GraphNode => ({
          id,
          lines: ['API Gateway', 'HTTP API'],
          place: 'outside',
          kind: 'service',
        }),
      ),
      ...named.nodes,
    ],
    edges: [...named.edges, ...unique(edges)],
  };
}

/** The name of the rollout, whose weighted records point to one backend each. */
function recordsIn(resources: Resources, apis: readonly string[]): Part {
  const records = resources
    .ofType('AWS::Route53::RecordSet')
    .filter(({ properties }) => properties['SetIdentifier']);
  const direct = apis.map((to): GraphEdge => ({ from: 'clients', to, label: 'HTTPS', kind: 'call' }));
  if (records.length === 0) return { nodes: [], edges: direct };
  const node: GraphNode = {
    id: 'Route53',
    lines: ['Route 53', 'weighted records'],
    place: 'outside',
    kind: 'service',
  };
  const targets = records.flatMap(({ properties }): GraphEdge[] => {
    const label = `${properties['SetIdentifier']}, weight ${properties['Weight']}`;
    const own = properties['SetIdentifier'] === 'serverless';
    return own
      ? apis.map((to) => ({ from: 'Route53', to, label, kind: 'call' }))
      : [{ from: 'Route53', to: 'legacy', label, kind: 'call' }];
  });
  const legacy: GraphNode = {
    id: 'legacy',
    lines: ['legacy load balancer'],
    place: 'outside',
    kind: 'person',
  };
  return {
    nodes: [node, legacy],
    edges: [{ from: 'clients', to: 'Route53', label: 'DNS', kind: 'call' }, ...targets],
  };
}

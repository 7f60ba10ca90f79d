import { idOf, isOurs } from './functions.ts';
import type { GraphEdge, GraphNode, Part } from './model.ts';
import type { Resources } from './resources.ts';

/** Where events end whose function has failed, and which functions' do. */
export function failuresIn(resources: Resources): Part {
  const edges = resources
    .ofType('AWS::Lambda::EventInvokeConfig')
    .flatMap(({ properties, stack }): GraphEdge[] => {
      const queues = resources
        .namedIn(properties['DestinationConfig'], stack)
        .filter(({ type }) => type === 'AWS::SQS::Queue');
      const functions = resources.namedIn(properties['FunctionName'], stack).filter(isOurs);
      return functions.flatMap((fn) =>
        queues.map(({ id }): GraphEdge => ({ from: idOf(fn), to: id, label: '', kind: 'failure' })),
      );
    });
  const nodes = resources
    .ofType('AWS::SQS::Queue')
    .map(({ id }): GraphNode => ({ id, lines: ['dead letters', 'SQS'], place: 'outside', kind: 'service' }));
  return { nodes, edges };
}

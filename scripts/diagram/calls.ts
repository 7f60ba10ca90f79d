import { idOf, isOurs } from './functions.ts';
import { type GraphEdge, type GraphNode, type Part, unique } from './model.ts';
import type { Resources } from './resources.ts';

/** Services that a function calls, by the prefix of the actions that its role may do. */
const CALLED_SERVICES: Readonly<Record<string, string>> = {
  cloudwatch: 'CloudWatch',
  codedeploy: 'CodeDeploy',
};

/** The alias, what moves it, and the hooks that it asks. */
export function deploymentIn(resources: Resources): Part {
  const groups = resources.ofType('AWS::CodeDeploy::DeploymentGroup');
  const aliases = resources.ofType('AWS::Lambda::Alias');
  const nodes = [
    ...groups.map(({ properties }): GraphNode => {
      const { Alarms = [] } = (properties['AlarmConfiguration'] ?? {}) as { Alarms?: unknown[] };
      return {
        id: 'CodeDeploy',
        lines: ['CodeDeploy', `rollback alarms: ${Alarms.length}`],
        place: 'outside',
        kind: 'service',
      };
    }),
    ...aliases.map(
      (found): GraphNode => ({
        id: found.id,
        lines: [`alias ${found.properties['Name']}`],
        place: 'outside',
        kind: 'service',
      }),
    ),
  ];
  const edges = aliases.flatMap(({ id, stack, properties, resource }): GraphEdge[] => {
    const update = (
      resource.UpdatePolicy as { CodeDeployLambdaAliasUpdate?: Record<string, unknown> } | undefined
    )?.CodeDeployLambdaAliasUpdate;
    const to = (value: unknown) => resources.namedIn(value, stack).filter(isOurs).map(idOf);
    const hook = (field: string, label: string): GraphEdge[] =>
      to(update?.[field]).map((fn) => ({ from: 'CodeDeploy', to: fn, label, kind: 'call' }));
    return [
      ...to(properties['FunctionName']).map(
        (fn): GraphEdge => ({ from: id, to: fn, label: 'versions', kind: 'call' }),
      ),
      ...(update ? [{ from: 'CodeDeploy', to: id, label: 'shifts', kind: 'call' } as const] : []),
      ...hook('BeforeAllowTrafficHook', 'before'),
      ...hook('AfterAllowTrafficHook', 'after'),
    ];
  });
  return { nodes, edges };
}

/** What starts a function without a client: a schedule, or the deployment itself. */
export function occasionsIn(resources: Resources): Part {
  const ours = (value: unknown, stack: string) =>
    resources
      .namedIn(value, stack)
      .flatMap((found) =>
        found.type === 'AWS::Lambda::Version'
          ? resources.namedIn(found.properties['FunctionName'], stack)
          : [found],
      )
      .filter(isOurs)
      .map(idOf);
  const schedules = resources.ofType('AWS::Scheduler::Schedule').flatMap(({ properties, stack }) => {
    const { Arn } = properties['Target'] as { Arn: unknown };
    const state = properties['State'] === 'DISABLED' ? ' (off)' : '';
    const label = `${properties['ScheduleExpression']}${state}`;
    return ours(Arn, stack).map((to): GraphEdge => ({ from: 'Scheduler', to, label, kind: 'call' }));
  });
  const triggers = resources
    .ofType('Custom::Trigger')
    .flatMap(({ properties, stack }) => ours(properties['HandlerArn'], stack))
    .map((to): GraphEdge => ({ from: 'CloudFormation', to, label: 'once a deployment', kind: 'call' }));
  const node = (id: string, line: string): GraphNode => ({
    id,
    lines: [line],
    place: 'outside',
    kind: 'service',
  });
  return {
    nodes: [
      ...(schedules.length > 0 ? [node('Scheduler', 'EventBridge Scheduler')] : []),
      ...(triggers.length > 0 ? [node('CloudFormation', 'CloudFormation')] : []),
      ...(callsIn(resources).edges.some(({ to }) => to === 'CloudWatch')
        ? [node('CloudWatch', 'CloudWatch')]
        : []),
    ],
    edges: [...schedules, ...triggers],
  };
}

/** What the roles of functions may call: other functions, and services that are told something. */
export function callsIn(resources: Resources): Part {
  const functions = resources.ofType('AWS::Lambda::Function').filter(isOurs);
  const edges = resources.ofType('AWS::IAM::Policy').flatMap(({ properties, stack }): GraphEdge[] => {
    const roles = resources.namedIn(properties['Roles'], stack);
    const callers = functions.filter((fn) =>
      resources.namedIn(fn.properties['Role'], fn.stack).some((role) => roles.includes(role)),
    );
    const { Statement } = properties['PolicyDocument'] as {
      Statement: { Action: string | string[]; Resource: unknown }[];
    };
    return callers.flatMap((caller) =>
      Statement.flatMap(({ Action, Resource }): GraphEdge[] => {
        const actions = [Action].flat();
        const invoked = actions.includes('lambda:InvokeFunction')
          ? resources.namedIn(Resource, stack).filter(isOurs)
          : [];
        const services = actions.flatMap((action) => CALLED_SERVICES[action.split(':')[0] ?? ''] ?? []);
        return [
          ...invoked.map(
            (fn): GraphEdge => ({ from: idOf(caller), to: idOf(fn), label: 'invokes', kind: 'call' }),
          ),
          ...services.map(
            (to): GraphEdge => ({
              from: idOf(caller),
              to,
              label: to === 'CodeDeploy' ? 'reports' : 'metrics',
              kind: 'call',
            }),
          ),
        ];
      }),
    );
  });
  return { nodes: [], edges: unique(edges) };
}

import { describe, expect, it } from '@jest/globals';
import { Match, type Template } from 'aws-cdk-lib/assertions';
import { onlyResource, type Resource, resourcesOf, synthesize } from '../../infra/support/synthesis.ts';

const { service } = synthesize('dev');
const [aliasId, alias] = onlyResource(service, 'AWS::Lambda::Alias');

describe('the HTTP API', () => {
  it('integrates with the alias, never with the function', () => {
    const integrations = resourcesOf(service, 'AWS::ApiGatewayV2::Integration');
    expect(integrations.map(([, { Properties }]) => Properties['IntegrationUri'])).toEqual([
      { Ref: aliasId },
    ]);
    expect(alias.Properties['Name']).toBe('live');
    service.allResourcesProperties('AWS::ApiGatewayV2::Integration', { PayloadFormatVersion: '2.0' });
  });

  it('may invoke the alias only', () => {
    const permissions = resourcesOf(service, 'AWS::Lambda::Permission');
    const functions = permissions.map(([, { Properties }]) => Properties['FunctionName']);
    expect(functions.length).toBeGreaterThan(0);
    expect(new Set(functions.map((fn) => JSON.stringify(fn)))).toEqual(
      new Set([JSON.stringify({ Ref: aliasId })]),
    );
  });

  it('is throttled and logs every request', () => {
    service.hasResourceProperties('AWS::ApiGatewayV2::Stage', {
      StageName: '$default',
      AutoDeploy: true,
      DefaultRouteSettings: { ThrottlingRateLimit: 100, ThrottlingBurstLimit: 200 },
      AccessLogSettings: { DestinationArn: Match.anyValue(), Format: Match.stringLikeRegexp('requestId') },
    });
  });
});

describe('the routes of the feature flags', () => {
  const OIDC = { issuer: 'https://login.example.com', audience: 'cutover-dev' };
  const PUBLIC = ['GET', 'HEAD'].flatMap((method) =>
    ['/api/config/flags', '/api/config/flags/{flagKey}'].map((path) => `${method} ${path}`),
  );
  const ADMIN = [
    'DELETE /api/admin/flags/{flagKey}',
    'PATCH /api/admin/flags/{flagKey}',
    'POST /api/admin/flags',
  ];
  const LOGIN = 'POST /api/sessions/login';
  const { service: withIssuer } = synthesize('dev', { change: (stage) => ({ ...stage, oidc: OIDC }) });

  const routesOf = (template: Template) =>
    resourcesOf(template, 'AWS::ApiGatewayV2::Route').map(([id, { Properties }]) => ({
      id,
      key: String(Properties['RouteKey']),
      type: Properties['AuthorizationType'],
      authorizer: Properties['AuthorizerId'],
      scopes: Properties['AuthorizationScopes'],
      target: Properties['Target'],
    }));
  const keysOf = (routes: ReturnType<typeof routesOf>) => routes.map(({ key }) => key).sort();

  it('that write are for tokens of the issuer, with the scope; no other route asks for one', () => {
    const [authorizerId, { Properties }] = onlyResource(withIssuer, 'AWS::ApiGatewayV2::Authorizer');
    expect(Properties).toMatchObject({
      AuthorizerType: 'JWT',
      IdentitySource: ['$request.header.Authorization'],
      JwtConfiguration: { Audience: [OIDC.audience], Issuer: OIDC.issuer },
    });
    const routes = routesOf(withIssuer);
    const guarded = routes.filter(({ type }) => type === 'JWT');
    expect(keysOf(guarded)).toEqual([...ADMIN, LOGIN]);
    for (const { key, authorizer, scopes } of guarded) {
      expect(authorizer).toEqual({ Ref: authorizerId });
      // Any good token says who logs in.
      expect(scopes).toEqual(key === LOGIN ? undefined : ['flags:write']);
    }
    const others = routes.filter((route) => !guarded.includes(route));
    expect(keysOf(others)).toEqual(['$default', ...PUBLIC]);
    for (const { type, authorizer, scopes } of others) {
      expect([[undefined, 'NONE'].includes(type as string), authorizer, scopes]).toEqual([
        true,
        undefined,
        undefined,
      ]);
    }
  });

  it('reach the alias by its one integration', () => {
    expect(resourcesOf(withIssuer, 'AWS::ApiGatewayV2::Integration')).toHaveLength(1);
    expect(new Set(routesOf(withIssuer).map(({ target }) => JSON.stringify(target))).size).toBe(1);
  });

  it('that write are left to the handler, which refuses them, where the stage has no issuer', () => {
    expect(resourcesOf(service, 'AWS::ApiGatewayV2::Authorizer')).toEqual([]);
    expect(keysOf(routesOf(service))).toEqual(['$default', ...PUBLIC]);
  });

  it('that are public have a throttle each, and are there before it', () => {
    const { service: other } = synthesize('dev', {
      change: (stage) => ({ ...stage, publicFlags: { requestsPerSecond: 7, burstRequests: 11 } }),
    });
    const limits = (rate: number, burst: number) =>
      Object.fromEntries(
        PUBLIC.map((key) => [key, { ThrottlingRateLimit: rate, ThrottlingBurstLimit: burst }]),
      );
    const [, stage] = onlyResource(service, 'AWS::ApiGatewayV2::Stage');
    expect(stage.Properties['RouteSettings']).toEqual(limits(50, 100));
    expect(onlyResource(other, 'AWS::ApiGatewayV2::Stage')[1].Properties['RouteSettings']).toEqual(
      limits(7, 11),
    );
    const throttled = routesOf(service).filter(({ key }) => PUBLIC.includes(key));
    expect(stage.DependsOn).toEqual(expect.arrayContaining(throttled.map(({ id }) => id)));
  });
});

/** What runs one of the functions during the deployment. */
function triggerOf(name: string): [string, Resource] {
  const triggers = resourcesOf(service, 'Custom::Trigger').filter(([id]) => id.startsWith(name));
  expect(triggers).toHaveLength(1);
  return triggers[0] as [string, Resource];
}

describe('during the deployment', () => {
  const [migrationId, migration] = triggerOf('Migration');

  it('the database is migrated before the alias moves, and that is waited for', () => {
    expect(alias.DependsOn).toContain(migrationId);
    expect(migration.Properties).toMatchObject({ InvocationType: 'RequestResponse', Timeout: '300000' });
  });
});

describe('the scheduled flush', () => {
  const idOf = (name: string): string => {
    const ids = resourcesOf(service, 'AWS::Lambda::Function').map(([id]) => id);
    const [id = '', ...others] = ids.filter((each) => each.startsWith(name));
    expect(others).toEqual([]);
    return id;
  };

  it('is invoked once a day, with an event that is its own and not the scheduler’s', () => {
    service.hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: 'cron(0 3 * * ? *)',
      State: 'ENABLED',
      Target: { Arn: { 'Fn::GetAtt': [idOf('FlushFunction'), 'Arn'] }, Input: '{}' },
    });
  });

  it('may invoke the operator and nothing else, record in one namespace, and read metrics', () => {
    const policies = resourcesOf(service, 'AWS::IAM::Policy').filter(([id]) =>
      id.startsWith('FlushFunction'),
    );
    const statements = policies.flatMap(
      ([, { Properties }]) => (Properties['PolicyDocument'] as { Statement: unknown[] }).Statement,
    );
    const allowed = { Effect: 'Allow' };
    expect(statements).toEqual([
      // Traces are every function's.
      {
        ...{ ...allowed, Resource: '*' },
        Action: ['cloudwatch:GetMetricData', 'xray:PutTelemetryRecords', 'xray:PutTraceSegments'],
      },
      {
        ...{ ...allowed, Action: 'lambda:InvokeFunction' },
        Resource: { 'Fn::GetAtt': [idOf('Operator'), 'Arn'] },
      },
      {
        ...{ ...allowed, Action: 'cloudwatch:PutMetricData', Resource: '*' },
        Condition: { StringEquals: { 'cloudwatch:namespace': 'Cutover' } },
      },
      {
        ...{ ...allowed, Action: 'sqs:SendMessage' },
        Resource: { 'Fn::GetAtt': [onlyResource(service, 'AWS::SQS::Queue')[0], 'Arn'] },
      },
    ]);
  });

  it('has the operator’s name, and time for several of its turns', () => {
    const functions = Object.fromEntries(resourcesOf(service, 'AWS::Lambda::Function'));
    const [outer, operator] = [functions[idOf('FlushFunction')], functions[idOf('Operator')]];
    expect(outer?.Properties).toMatchObject({
      Environment: { Variables: { OPERATOR_FUNCTION: { Ref: idOf('Operator') } } },
      Timeout: 900,
    });
    expect(operator?.Properties).toMatchObject({ Timeout: 90 });
  });

  it('deletes only where the stage says so', () => {
    const { service: deleting } = synthesize('dev', {
      change: (stage) => ({ ...stage, flush: { hourUtc: 3, dryRun: false } }),
    });
    const dryRun = (value: string) => ({ Environment: { Variables: { DRY_RUN: value } } });
    service.hasResourceProperties('AWS::Lambda::Function', dryRun('true'));
    deleting.hasResourceProperties('AWS::Lambda::Function', dryRun('false'));
  });
});

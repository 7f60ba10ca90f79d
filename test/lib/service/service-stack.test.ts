import { describe, expect, it } from '@jest/globals';
import { Match, type Template } from 'aws-cdk-lib/assertions';
import { onlyResource, type Resource, resourcesOf, synthesize } from '../../infra/support/synthesis.ts';

const { service } = synthesize('dev');
const [aliasId, alias] = onlyResource(service, 'AWS::Lambda::Alias');

describe('the canary', () => {
  const CONFIG = 'AWS::CodeDeploy::DeploymentConfig';
  const canaryOf = (percent: number, minutes: number) => ({
    ComputePlatform: 'Lambda',
    TrafficRoutingConfig: {
      Type: 'TimeBasedCanary',
      TimeBasedCanary: { CanaryPercentage: percent, CanaryInterval: minutes },
    },
  });

  it('gives a new version 5 % of the traffic for 60 minutes', () => {
    service.hasResourceProperties(CONFIG, canaryOf(5, 60));
  });

  it('is what the stage says it is, each number in its place', () => {
    const other = synthesize('dev', {
      change: (stage) => ({ ...stage, canary: { percent: 10, minutes: 30 } }),
    });
    other.service.hasResourceProperties(CONFIG, canaryOf(10, 30));
    expect(() => other.service.hasResourceProperties(CONFIG, canaryOf(5, 60))).toThrow();
  });

  it('moves the alias, by CodeDeploy, with that configuration', () => {
    const [configId] = onlyResource(service, CONFIG);
    const [groupId, group] = onlyResource(service, 'AWS::CodeDeploy::DeploymentGroup');
    expect(group.Properties['DeploymentConfigName']).toEqual({ Ref: configId });
    service.hasResource('AWS::Lambda::Alias', {
      UpdatePolicy: { CodeDeployLambdaAliasUpdate: { DeploymentGroupName: { Ref: groupId } } },
    });
  });

  it('goes back when more than 1 % of the new version’s own invocations fail', () => {
    const [alarmId] = onlyResource(service, 'AWS::CloudWatch::Alarm');
    service.hasResourceProperties('AWS::CodeDeploy::DeploymentGroup', {
      AlarmConfiguration: { Enabled: true, Alarms: [{ Name: { Ref: alarmId } }] },
      AutoRollbackConfiguration: {
        Enabled: true,
        Events: Match.arrayWith(['DEPLOYMENT_FAILURE', 'DEPLOYMENT_STOP_ON_ALARM']),
      },
    });
    service.hasResourceProperties('AWS::CloudWatch::Alarm', {
      Threshold: 1,
      ComparisonOperator: 'GreaterThanThreshold',
      TreatMissingData: 'notBreaching',
      Metrics: Match.arrayWith([
        Match.objectLike({ Expression: '100 * errors / invocations', ReturnData: true }),
        Match.objectLike({
          Id: 'errors',
          MetricStat: Match.objectLike({
            Metric: Match.objectLike({
              MetricName: 'Errors',
              Dimensions: [
                { Name: 'ExecutedVersion', Value: alias.Properties['FunctionVersion'] },
                { Name: 'FunctionName', Value: alias.Properties['FunctionName'] },
                {
                  Name: 'Resource',
                  Value: { 'Fn::Join': ['', [alias.Properties['FunctionName'], ':live']] },
                },
              ],
            }),
          }),
        }),
      ]),
    });
  });

  it('leaves the version before in place: it is the way back', () => {
    const version = (alias.Properties['FunctionVersion'] as { 'Fn::GetAtt': string[] })['Fn::GetAtt'][0];
    const versions = Object.fromEntries(resourcesOf(service, 'AWS::Lambda::Version'));
    expect(versions[version ?? '']?.DeletionPolicy).toBe('Retain');
  });
});

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
    expect(keysOf(guarded)).toEqual(ADMIN);
    for (const { authorizer, scopes } of guarded) {
      expect({ authorizer, scopes }).toEqual({ authorizer: { Ref: authorizerId }, scopes: ['flags:write'] });
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
  const [warmingId, warming] = triggerOf('Warming');

  it('the database is migrated before the alias moves, and that is waited for', () => {
    expect(alias.DependsOn).toContain(migrationId);
    expect(migration.Properties).toMatchObject({ InvocationType: 'RequestResponse', Timeout: '300000' });
  });

  it('the cache is warmed after that, and before the alias moves', () => {
    expect(warming.DependsOn).toContain(migrationId);
    expect(alias.DependsOn).toContain(warmingId);
    expect(warming.Properties).toMatchObject({ InvocationType: 'RequestResponse', Timeout: '60000' });
  });

  it('it is warmed with the settings of the API, so that these are the keys that it reads', () => {
    const [api, warm] = ['ApiFunction', 'WarmingFunction'].map((name) => {
      const functions = resourcesOf(service, 'AWS::Lambda::Function').filter(([id]) => id.startsWith(name));
      expect(functions).toHaveLength(1);
      return functions[0]?.[1].Properties['Environment'];
    });
    expect(warm).toEqual(api);
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

  it('may invoke its worker and nothing else, record in one namespace, and read metrics', () => {
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
        Resource: { 'Fn::GetAtt': [idOf('FlushWorker'), 'Arn'] },
      },
      {
        ...{ ...allowed, Action: 'cloudwatch:PutMetricData', Resource: '*' },
        Condition: { StringEquals: { 'cloudwatch:namespace': 'Cutover' } },
      },
    ]);
  });

  it('has its worker’s name, and time for several of its turns', () => {
    const functions = Object.fromEntries(resourcesOf(service, 'AWS::Lambda::Function'));
    const [outer, worker] = [functions[idOf('FlushFunction')], functions[idOf('FlushWorker')]];
    expect(outer?.Properties).toMatchObject({
      Environment: { Variables: { FLUSH_WORKER: { Ref: idOf('FlushWorker') } } },
      Timeout: 900,
    });
    expect(worker?.Properties).toMatchObject({ Timeout: 90 });
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

/** What alarms look at, beside what the functions record when they are run as they are deployed. */
import { describe, expect, it } from '@jest/globals';
import { STAGE_NAMES } from '../../../lib/stages.ts';
import { freePort } from '../../../rehearsal/servers/process.ts';
import { resourcesOf, STACK_PARTS, synthesize } from '../../infra/support/synthesis.ts';
import { awsEnvironment, startAws } from '../../support/aws.ts';
import { startSandbox } from '../../support/sandbox.ts';

const NAMESPACE = 'Cutover';
const VERSION = '7';
const ARN = `arn:aws:lambda:eu-central-1:000000000000:function:api:${VERSION}`;

interface AlarmMetric {
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions?: readonly { readonly Name: string; readonly Value: unknown }[];
}

/** A metric as `CanaryExpected of environment=*, service=cutover-pre-traffic, version=*`: what a stage and a version decide is any. */
function nameOf(name: string, dimensions: readonly (readonly [string, unknown])[]): string {
  const told = dimensions.map(([key, value]) => `${key}=${key === 'service' ? String(value) : '*'}`);
  return `${name} of ${told.sort().join(', ')}`;
}

/** The metrics of our own that an alarm of any stage looks at. */
function metricsOfAlarms(): string[] {
  const properties = STAGE_NAMES.flatMap((stage) => {
    const templates = synthesize(stage);
    return STACK_PARTS.flatMap((part) => resourcesOf(templates[part], 'AWS::CloudWatch::Alarm'));
  }).map(([, { Properties }]) => Properties);
  const metrics = properties.flatMap((alarm) => {
    const inExpression = (alarm['Metrics'] ?? []) as { MetricStat?: { Metric: AlarmMetric } }[];
    return [
      alarm as unknown as AlarmMetric,
      ...inExpression.flatMap(({ MetricStat }) => MetricStat?.Metric ?? []),
    ];
  });
  const own = metrics.filter(({ Namespace }) => Namespace === NAMESPACE);
  const names = own.map(({ MetricName, Dimensions = [] }) =>
    nameOf(
      MetricName,
      Dimensions.map(({ Name, Value }) => [Name, Value]),
    ),
  );
  return [...new Set(names)].sort();
}

/** What the API records when its servers are away. */
async function metricsOfApi(): Promise<string[]> {
  const nobody = `127.0.0.1:${await freePort()}`;
  const api = startSandbox('api', {
    ...{ NODE_ENV: 'test', LOG_LEVEL: 'CRITICAL', CACHE_MODE: 'redis' },
    ...{ REDIS_URL: `redis://${nobody}`, DATABASE_URL: `postgresql://${nobody}/none` },
    ...{ AWS_LAMBDA_FUNCTION_NAME: 'api', AWS_LAMBDA_FUNCTION_VERSION: VERSION },
  });
  const http = { method: 'GET', path: '/api/config/flags' };
  const event = {
    ...{ version: '2.0', rawPath: http.path, rawQueryString: '', headers: {}, isBase64Encoded: false },
    requestContext: { domainName: 'api.example.com', http },
  };
  expect(await api.invoke(event)).toMatchObject({ statusCode: 503 });
  return (await api.end()).flatMap((line) => {
    const { CloudWatchMetrics = [] } = (line['_aws'] ?? {}) as {
      CloudWatchMetrics?: { Namespace: string; Dimensions: string[][]; Metrics: { Name: string }[] }[];
    };
    return CloudWatchMetrics.filter(({ Namespace }) => Namespace === NAMESPACE).flatMap(
      ({ Dimensions, Metrics }) =>
        Dimensions.flatMap((names) =>
          Metrics.map(({ Name }) =>
            nameOf(
              Name,
              names.map((name) => [name, line[name]]),
            ),
          ),
        ),
    );
  });
}

/** What the hook before the traffic records. */
async function metricsOfHook(): Promise<string[]> {
  const checks = { redis: { status: 'up' }, postgres: { status: 'up' } };
  const answer = { statusCode: 200, headers: { 'x-cache': 'hit' }, body: JSON.stringify({ checks }) };
  const aws = await startAws({
    functions: { [ARN]: async () => answer },
    services: {
      codedeploy: () => ({ body: '{}' }),
      monitoring: ({ headers }) =>
        String(headers['x-amz-target']).endsWith('.DescribeAlarms')
          ? { body: '{"MetricAlarms":[]}' }
          : undefined,
    },
  });
  await startSandbox('pre-traffic', {
    ...{ ...awsEnvironment(aws), NODE_ENV: 'test', LOG_LEVEL: 'CRITICAL' },
    ...{ NEW_VERSION: ARN, CACHE_MODE: 'redis', CANARY_MINUTES: '3', ROLLBACK_ALARMS: 'errors' },
  }).invoke({ DeploymentId: 'd-1', LifecycleEventHookExecutionId: 'e-1' });
  return aws.data.map(({ name, dimensions }) =>
    nameOf(
      name,
      dimensions.split(', ').map((each) => each.split('=') as [string, string]),
    ),
  );
}

describe('the metrics of our own that alarms look at', () => {
  it('are recorded, with these very dimensions', async () => {
    const recorded = new Set([...(await metricsOfApi()), ...(await metricsOfHook())]);
    const looked = metricsOfAlarms();
    expect(looked).toEqual(
      expect.arrayContaining([
        'CanaryExpected of environment=*, service=cutover-pre-traffic, version=*',
        'RedisConnectionFailures of environment=*, service=cutover-api, version=*',
        'ServerErrors of environment=*, service=cutover-api, version=*',
      ]),
    );
    expect(looked.filter((metric) => !recorded.has(metric))).toEqual([]);
  });
});

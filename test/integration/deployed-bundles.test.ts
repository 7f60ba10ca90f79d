/** Every function as it is deployed, a bundle in a process of its own, on Lambda's Node and on this one. */
import { createServer } from 'node:http';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { FUNCTION_ENVIRONMENT, type FunctionName } from '../../lambda/contract/environment.ts';
import { migrate } from '../../lambda/database/migrate.ts';
import { callsAws } from '../infra/support/bundle-rules.ts';
import { LAMBDA_NODE_MAJOR, lambdaNode } from '../infra/support/lambda-node.ts';
import { type BundleAnswer, runBundle } from '../infra/support/run-bundle.ts';
import { awsEnvironment } from '../support/aws.ts';
import { bundleOnce } from '../support/bundle-once.ts';
import { listen } from '../support/http.ts';
import { freshDatabase, ownRedis } from '../support/servers.ts';

const DOWNLOAD_TIMEOUT_MS = 5 * 60_000;
const NAMES = Object.keys(FUNCTION_ENVIRONMENT) as FunctionName[];
const IN_VPC = NAMES.filter((name) => !callsAws(name));
const OUTSIDE = NAMES.filter(callsAws);

/** The servers that the functions find. */
interface Servers {
  readonly redis: string;
  readonly database: string;
}

/** What each variable is in these runs: without one of them a function would not be run as it is deployed. */
const VARIABLES: Readonly<Record<string, (servers: Servers) => string>> = {
  NODE_ENV: () => 'test',
  LOG_LEVEL: () => 'INFO',
  REDIS_URL: ({ redis }) => redis,
  CENSUS_REDIS_URL: ({ redis }) => redis,
  RUNTIME_REDIS_URL: ({ redis }) => redis,
  REDIS_AUTH: () => 'url',
  REDIS_PASSWORD: () => '',
  REDIS_CLUSTER: () => '0',
  REDIS_IAM_CACHE: () => '',
  DATABASE_URL: ({ database }) => database,
  DATABASE_AUTH: () => 'url',
  DATABASE_PASSWORD: () => '',
  DATABASE_IDLE: () => 'keep',
  DATABASE_APP_ROLE: () => '',
  MIGRATION_MODE: () => 'true',
  CW_CACHE_PREFIX_ENABLED: () => '0',
  CW_CACHE_DUAL_WRITE: () => '0',
  CW_CACHE_EPOCHS_ENABLED: () => '1',
  CW_RL_PREFIX_ENABLED: () => '0',
  CACHE_MODE: () => 'redis',
  DRY_RUN: () => 'true',
  OPERATOR_FUNCTION: () => 'operator',
  NEW_VERSION: () => 'arn:aws:lambda:eu-central-1:123456789012:function:api:7',
  CANARY_MINUTES: () => '60',
  ROLLBACK_ALARMS: () => 'errors,slowness',
  LEGACY_ADDRESS: () => 'https://legacy.example.com',
  SERVERLESS_ADDRESS: () => 'https://serverless.example.com',
  HOST_NAME: () => 'api.example.com',
  COMPARE_PATHS: () => '["/api/config/flags"]',
  STOP_PARAMETER: () => '/cutover/test/stop',
  ALARM_PREFIX: () => 'Cutover-Test',
  API_ID: () => 'abc123',
  HOSTED_ZONE_ID: () => 'Z0123456789ABC',
  RECORD_NAME: () => 'api.example.com',
  LEGACY_TARGET: () => 'legacy.example.com',
  SERVERLESS_TARGET: () => 'serverless.example.com',
  STATE_MACHINE: () => 'arn:aws:states:eu-central-1:123456789012:stateMachine:rollout',
};

function environmentOf(name: FunctionName, servers: Servers): Record<string, string> {
  const entries = FUNCTION_ENVIRONMENT[name].map((variable) => {
    const given = VARIABLES[variable];
    if (!given)
      throw new Error(`deployed-bundles: ${variable} of ${name} has no value in VARIABLES; give it one`);
    return [variable, given(servers)];
  });
  return Object.fromEntries(entries);
}

const request = (path: string): object => ({
  version: '2.0',
  routeKey: '$default',
  rawPath: path,
  rawQueryString: '',
  headers: { host: 'localhost' },
  requestContext: { http: { method: 'GET', path, sourceIp: '127.0.0.1' }, requestId: '1', stage: '$default' },
  isBase64Encoded: false,
});

/** What a function in the VPC is asked, and what it answers where its servers are there. */
const QUESTIONS: Readonly<Record<string, readonly { event: object; answer: object }[]>> = {
  api: [
    { event: request('/health'), answer: { statusCode: 200, body: '{"status":"alive"}' } },
    {
      event: request('/ready'),
      answer: { statusCode: 200, body: expect.stringContaining('"status":"ready"') },
    },
    {
      event: request('/api/config/flags'),
      answer: { statusCode: 200, body: '{"environment":"test","flags":[]}' },
    },
  ],
  auditor: [{ event: {}, answer: { complete: true, stale: [] } }],
  dispatcher: [{ event: {}, answer: { pending: false } }],
  migrate: [{ event: {}, answer: { applied: [] } }],
  operator: [
    { event: { command: 'flush' }, answer: { command: 'flush', dryRun: true, complete: true } },
    { event: { command: 'census' }, answer: { command: 'census', complete: true } },
  ],
};

interface Occasion {
  readonly event: object;
  readonly services: readonly string[];
  readonly timeLeftMs?: number;
}

/** A hook tries for two thirds of its time, and tells CodeDeploy then. */
const HOOK: Occasion = {
  event: { DeploymentId: 'd-0123456789', LifecycleEventHookExecutionId: 'e-0123456789' },
  services: ['lambda', 'codedeploy'],
  timeLeftMs: 4000,
};

const EXECUTION = 'arn:aws:states:eu-central-1:123456789012:execution:rollout:one';

/** What invokes a function outside of the VPC, and which services it then has to have asked, whatever they say. */
const OCCASIONS: Readonly<Record<string, Occasion>> = {
  flush: { event: {}, services: ['lambda'] },
  'pre-traffic': HOOK,
  'post-traffic': HOOK,
  'rollout-compare': { event: { task: 'compare', execution: EXECUTION }, services: ['ssm'] },
  'rollout-gate': { event: { task: 'alarms', execution: EXECUTION }, services: ['ssm'] },
  'rollout-records': { event: {}, services: ['route53'] },
  'rollout-stop': { event: {}, services: ['states'] },
  'rollout-traffic': { event: { task: 'legacy', execution: EXECUTION }, services: ['route53'] },
};

/** AWS as somebody sees it who may do nothing: the services that were asked, by the names they are signed for. */
async function refusingAws(): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((incoming, response) => {
    const [, service = 'nobody'] =
      /Credential=[^/]+\/\d+\/[^/]+\/([\w-]+)\//.exec(incoming.headers.authorization ?? '') ?? [];
    asked.push(service);
    incoming.resume();
    response.writeHead(403, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ __type: 'AccessDeniedException', message: 'may do nothing' }));
  });
  return { url: await listen(server), asked };
}

describe.each([
  ['this Node', async () => process.execPath],
  [`Node ${LAMBDA_NODE_MAJOR}`, lambdaNode],
])('on %s', (which, nodeOf) => {
  let node: string;
  let servers: Servers;
  beforeAll(async () => {
    node = await nodeOf();
    servers = { redis: (await ownRedis()).url, database: (await freshDatabase()).url };
    await migrate(servers.database);
  }, DOWNLOAD_TIMEOUT_MS);

  const run = async (
    name: FunctionName,
    event: object,
    {
      timeLeftMs,
      environment = {},
    }: { timeLeftMs?: number | undefined; environment?: Record<string, string> } = {},
  ) => {
    const answer = await runBundle({
      node,
      folder: bundleOnce(name),
      environment: { ...environmentOf(name, servers), ...environment },
      event,
      ...(timeLeftMs && { timeLeftMs }),
    });
    const expected = which === 'this Node' ? process.versions.node : expect.stringMatching(/^24\./);
    expect(answer.node).toEqual(expected);
    return answer;
  };
  const asked = (answer: BundleAnswer): object => ({
    kind: answer.kind,
    result: answer.result,
    error: answer.error,
  });

  it.each(IN_VPC)('%s answers', async (name) => {
    const questions = QUESTIONS[name];
    if (!questions) throw new Error(`deployed-bundles: ${name} has no question in QUESTIONS; give it one`);
    for (const { event, answer } of questions) {
      expect(asked(await run(name, event))).toEqual({
        kind: 'function',
        result: expect.objectContaining(answer),
        error: undefined,
      });
    }
  });

  it.each(OUTSIDE)('%s goes as far as AWS', async (name) => {
    const occasion = OCCASIONS[name];
    if (!occasion) throw new Error(`deployed-bundles: ${name} has no occasion in OCCASIONS; give it one`);
    const aws = await refusingAws();
    const { kind } = await run(name, occasion.event, {
      timeLeftMs: occasion.timeLeftMs,
      environment: awsEnvironment(aws),
    });
    expect({ kind, services: [...new Set(aws.asked)] }).toEqual({
      kind: 'function',
      services: occasion.services,
    });
  });
});

it('notices a bundle that does not start', async () => {
  const answer = await runBundle({
    node: process.execPath,
    folder: bundleOnce('migrate'),
    environment: {},
    event: {},
  });
  expect(answer.error).toMatchObject({ name: 'ConfigurationError' });
});

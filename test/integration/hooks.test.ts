/** The hooks of a deployment as they are deployed, and the version that they prove: bundles, a real Redis and a real PostgreSQL. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { migrate } from '../../lambda/database/migrate.ts';
import { freePort } from '../../rehearsal/servers/process.ts';
import { type Aws, awsEnvironment, type ServiceAnswer, startAws } from '../support/aws.ts';
import { openDoor } from '../support/door.ts';
import { lookInto } from '../support/redis.ts';
import { type Sandbox, startSandbox } from '../support/sandbox.ts';
import { freshDatabase, ownRedis } from '../support/servers.ts';
import { slowRedis } from '../support/slow-redis.ts';
import { blackHole } from '../support/unreachable-redis.ts';

type Hook = 'pre-traffic' | 'post-traffic';
type Version = (event: unknown) => Promise<unknown>;

const ARN = 'arn:aws:lambda:eu-central-1:000000000000:function:api:7';
const EVENT = { DeploymentId: 'd-ABC', LifecycleEventHookExecutionId: 'execution-1' };
/** What a hook that must not wait for all of its attempts is given: two thirds of it are for the proof. */
const SHORTLY = { timeLeftMs: 4500 };
const PATIENCE_MS = 120_000;

let servers: { redis: { url: string; port: number }; database: string };

beforeAll(async () => {
  const [redis, database] = await Promise.all([ownRedis(), freshDatabase()]);
  await migrate(database.url);
  servers = { redis, database: database.url };
}, PATIENCE_MS);

/** The API as version 7, in the phase `isolated`. */
const api = (
  environment: { REDIS_URL?: string; DATABASE_URL?: string; CACHE_MODE?: string } = {},
): Version => {
  const sandbox = startSandbox('api', {
    ...{ NODE_ENV: 'test', MIGRATION_MODE: 'true', LOG_LEVEL: 'CRITICAL' },
    ...{ REDIS_URL: servers.redis.url, DATABASE_URL: servers.database },
    ...environment,
  });
  return (event) => sandbox.invoke(event);
};

interface Deployment {
  readonly aws: Aws;
  /** What CodeDeploy was told, word for word. */
  readonly told: unknown[];
  run(
    hook: Hook,
    options?: { event?: unknown; timeLeftMs?: number; environment?: Record<string, string> },
  ): Promise<Sandbox>;
}

const TOLD = { status: 200, body: '{"lifecycleEventHookExecutionId":"execution-1"}' };

interface Occasion {
  /** What CodeDeploy says when it is told, in turn; later it takes it. */
  readonly answers?: readonly ServiceAnswer[];
  /** How often the alarm `slowness` is found red. */
  readonly red?: number;
}

async function deploymentOf(version: Version, { answers = [], red = 0 }: Occasion = {}): Promise<Deployment> {
  const told: unknown[] = [];
  let looks = 0;
  const aws = await startAws({
    functions: { [ARN]: version },
    services: {
      codedeploy: ({ headers, body }) => {
        told.push({ action: String(headers['x-amz-target']).split('.')[1], ...JSON.parse(body) });
        const answer = answers[told.length - 1] ?? TOLD;
        return { headers: { 'content-type': 'application/x-amz-json-1.1' }, ...answer };
      },
      monitoring: ({ headers, body }) => {
        if (!String(headers['x-amz-target']).endsWith('.DescribeAlarms')) return undefined;
        const { AlarmNames, StateValue } = JSON.parse(body);
        const names = StateValue === 'ALARM' ? AlarmNames : [];
        looks += 1;
        const found = looks > red ? [] : names.filter((name: string) => name === 'slowness');
        return { body: JSON.stringify({ MetricAlarms: found.map((AlarmName: string) => ({ AlarmName })) }) };
      },
    },
  });
  return {
    aws,
    told,
    async run(hook, { event = EVENT, timeLeftMs, environment } = {}) {
      const sandbox = startSandbox(hook, {
        ...awsEnvironment(aws),
        ...{
          NODE_ENV: 'test',
          NEW_VERSION: ARN,
          CACHE_MODE: 'redis',
          CANARY_MINUTES: '0',
          ROLLBACK_ALARMS: 'errors,slowness',
          LOG_LEVEL: 'INFO',
        },
        ...environment,
      });
      await sandbox.invoke(event, timeLeftMs === undefined ? {} : { timeLeftMs });
      return sandbox;
    },
  };
}

const report = (status: 'Succeeded' | 'Failed') => ({
  action: 'PutLifecycleEventHookExecutionStatus',
  deploymentId: 'd-ABC',
  lifecycleEventHookExecutionId: 'execution-1',
  status,
});

/** Why a hook has said no, by its log. */
const reasonOf = async (sandbox: Sandbox): Promise<unknown> =>
  (await sandbox.end()).find(({ message }) => message === 'the new version must have no traffic')?.['reason'];

const nobody = async (): Promise<string> => `127.0.0.1:${await freePort()}`;
/** Accepts, and never says a word. */
const mute = (): Promise<string> => openDoor(() => {});
const hanging: Version = () => new Promise(() => {});
const answering = (...answers: readonly unknown[]): Version => {
  const left = [...answers];
  return async () => (left.length > 1 ? left.shift() : left[0]);
};
const json = (body: unknown, more: object = {}) => ({
  statusCode: 200,
  headers: {},
  body: JSON.stringify(body),
  ...more,
});
const flags = (cache: string, status = 200) =>
  json({ flags: [] }, { statusCode: status, headers: { 'x-cache': cache } });
const READY = json({ status: 'ready', checks: { redis: { status: 'up' }, postgres: { status: 'up' } } });

/** Runs a hook on a version. @returns all that CodeDeploy was told, and why, if it failed. */
async function verdictOn(hook: Hook, version: Version, options: Parameters<Deployment['run']>[1] = {}) {
  const deployment = await deploymentOf(version);
  const sandbox = await deployment.run(hook, options);
  return { told: deployment.told, reason: await reasonOf(sandbox) };
}

describe('before the traffic', () => {
  it.concurrent('a version whose servers answer succeeds, with the flags in its cache', async () => {
    const { url } = await ownRedis();
    const verdict = await verdictOn('pre-traffic', api({ REDIS_URL: url }));
    expect(verdict).toEqual({ told: [report('Succeeded')], reason: undefined });
    const redis = await lookInto(url);
    expect(await redis.send(['EXISTS', 'v2:feature_flags:test'])).toBe(1);
  });

  it.concurrent(
    'a version that does not reach a server that it needs fails, and is told so once',
    async () => {
      const redisDown = /^hooks: GET \/ready answered 503; it must be 200: redis is down \(\w*Error\)$/;
      const cases: [string, () => Promise<Version>, RegExp][] = [
        ['Redis down', async () => api({ REDIS_URL: `redis://${await nobody()}` }), redisDown],
        ['Redis in a black hole', async () => api({ REDIS_URL: (await blackHole()).url }), redisDown],
        ['Redis mute', async () => api({ REDIS_URL: await mute() }), redisDown],
        [
          'Redis 1 s late',
          async () => api({ REDIS_URL: await slowRedis({ to: servers.redis, delayMs: 1000 }) }),
          redisDown,
        ],
        [
          'PostgreSQL away',
          async () => api({ DATABASE_URL: `postgresql://${await nobody()}/none` }),
          /: postgres is down \(\w*Error\)$/,
        ],
      ];
      const verdicts = await Promise.all(
        cases.map(
          async ([name, version]) => [name, await verdictOn('pre-traffic', await version())] as const,
        ),
      );
      expect(Object.fromEntries(verdicts)).toEqual(
        Object.fromEntries(
          cases.map(([name, , reason]) => [
            name,
            { told: [report('Failed')], reason: expect.stringMatching(reason) },
          ]),
        ),
      );
    },
    PATIENCE_MS,
  );

  it.concurrent(
    'a version that fails in another way fails, and is told so once',
    async () => {
      const cases: [string, Version, RegExp][] = [
        [
          'answers 500',
          answering(json({}, { statusCode: 500 })),
          /^hooks: GET \/ready answered 500; .* redis is not checked/,
        ],
        [
          'is ready, and answers 500',
          answering(READY, flags('hit', 500)),
          /^hooks: GET \/api\/config\/flags answered 500/,
        ],
        [
          'does not use its cache',
          answering(READY, flags('bypass')),
          /x-cache of GET \S+ is bypass; it must be hit or miss/,
        ],
        [
          'throws',
          () => Promise.reject(new Error('no memory left')),
          /the version failed: Error: no memory left$/,
        ],
        ['answers garbage', answering('<html>'), /the version answered "<html>", which is no HTTP answer$/],
        ['answers nothing', answering(null), /the version answered null, which is no HTTP answer$/],
        ['hangs', hanging, /^hooks: no proof within \d+ ms/],
      ];
      const verdicts = await Promise.all(
        cases.map(async ([name, version]) => {
          const options = version === hanging ? SHORTLY : {};
          return [name, await verdictOn('pre-traffic', version, options)] as const;
        }),
      );
      expect(Object.fromEntries(verdicts)).toEqual(
        Object.fromEntries(
          cases.map(([name, , reason]) => [
            name,
            { told: [report('Failed')], reason: expect.stringMatching(reason) },
          ]),
        ),
      );
    },
    PATIENCE_MS,
  );

  it.concurrent('a version that comes late is waited for', async () => {
    const unready = json(
      { checks: { redis: { status: 'down' }, postgres: { status: 'up' } } },
      { statusCode: 503 },
    );
    const version = answering(unready, READY, flags('bypass'), flags('miss'));
    expect((await verdictOn('pre-traffic', version)).told).toEqual([report('Succeeded')]);
  });

  it.concurrent('a version that reads its own memory needs no Redis, and PostgreSQL all the same', async () => {
    const environment = { CACHE_MODE: 'memory' };
    const away = { REDIS_URL: `redis://${await nobody()}`, CACHE_MODE: 'memory' };
    expect(await verdictOn('pre-traffic', api(away), { environment })).toEqual({
      told: [report('Succeeded')],
      reason: undefined,
    });
    const noDatabase = api({ ...away, DATABASE_URL: `postgresql://${await nobody()}/none` });
    expect(await verdictOn('pre-traffic', noDatabase, { environment, ...SHORTLY })).toMatchObject({
      told: [report('Failed')],
    });
  });

  it.concurrent('an environment that is not the hook’s fails the deployment', async () => {
    const cases: [Record<string, string>, RegExp][] = [
      [
        { NEW_VERSION: ARN.replace(/:7$/, ':live') },
        /^hooks: NEW_VERSION is ".*:live"; it must be the ARN of a version/,
      ],
      [{ NEW_VERSION: '' }, /^hooks: NEW_VERSION is ""/],
      [{ CANARY_MINUTES: 'soon' }, /^hooks: CANARY_MINUTES is "soon"; it must be/],
      [{ NODE_ENV: '' }, /NODE_ENV= cannot name/],
      [{ ROLLBACK_ALARMS: '' }, /^hooks: ROLLBACK_ALARMS is ""; it must be/],
    ];
    for (const [environment, reason] of cases) {
      expect(await verdictOn('pre-traffic', answering(READY), { environment })).toEqual({
        told: [report('Failed')],
        reason: expect.stringMatching(reason),
      });
    }
  });
});

describe('alarms that are red before the traffic', () => {
  const alarmed = async (red: number, timeLeftMs?: number) => {
    const { told, run } = await deploymentOf(answering(READY, flags('hit')), { red });
    const sandbox = await run('pre-traffic', timeLeftMs === undefined ? {} : { timeLeftMs });
    return { told, warnings: (await sandbox.end()).map(({ reason }) => String(reason)) };
  };
  const RED = /^hooks: slowness is ALARM before the traffic; it must be OK/;

  it.concurrent('are waited for', async () => {
    const { told, warnings } = await alarmed(2);
    expect(told).toEqual([report('Succeeded')]);
    expect(warnings.filter((warning) => RED.test(warning))).toHaveLength(2);
  });

  it.concurrent('fail the deployment, which would not notice them, when they stay', async () => {
    const { told } = await alarmed(Number.POSITIVE_INFINITY, SHORTLY.timeLeftMs);
    expect(told).toEqual([report('Failed')]);
  });
});

describe('the traffic that has to come', () => {
  const MINUTE_MS = 60_000;
  const expected = async (minutes: string) => {
    const { aws, told, run } = await deploymentOf(answering(READY, flags('hit')));
    const before = Math.floor(Date.now() / MINUTE_MS);
    await run('pre-traffic', { environment: { CANARY_MINUTES: minutes } });
    return { told, data: aws.data, before };
  };

  it.concurrent('is said ahead, by version, for each minute of the canary from the present one on', async () => {
    const { told, data, before } = await expected('7');
    expect(told).toEqual([report('Succeeded')]);
    expect(data).toHaveLength(7);
    const first = (data[0]?.at ?? 0) / MINUTE_MS;
    expect(first - before).toBeGreaterThanOrEqual(0);
    expect(first - before).toBeLessThanOrEqual(1);
    expect(data).toEqual(
      Array.from({ length: 7 }, (_, minute) => ({
        ...{ namespace: 'Cutover', name: 'CanaryExpected', value: 1, unit: 'Count' },
        dimensions: 'environment=test, service=cutover-pre-traffic, version=7',
        at: (first + minute) * MINUTE_MS,
      })),
    );
  });

  it.concurrent('is said no further ahead than CloudWatch hears it', async () => {
    const { data } = await expected('600');
    expect(data).toHaveLength(119);
  });

  it.concurrent('is not said without a canary', async () => {
    expect(await expected('0')).toMatchObject({ told: [report('Succeeded')], data: [] });
  });

  it.concurrent('fails the deployment where it cannot be said: the alarm would be deaf', async () => {
    const deployment = await deploymentOf(answering(READY, flags('hit')));
    deployment.aws.deny('PutMetricData');
    const sandbox = await deployment.run('pre-traffic', { environment: { CANARY_MINUTES: '7' } });
    expect({ told: deployment.told, reason: await reasonOf(sandbox) }).toEqual({
      told: [report('Failed')],
      reason: 'may not PutMetricData',
    });
  });
});

describe('after the traffic', () => {
  it.concurrent.each(['redis', 'memory'])(
    'a version that answers from its cache, %s, succeeds',
    async (CACHE_MODE) => {
      expect(await verdictOn('post-traffic', api({ CACHE_MODE }))).toEqual({
        told: [report('Succeeded')],
        reason: undefined,
      });
    },
  );

  it.concurrent(
    'a version that does not fails, and is told so once',
    async () => {
      const noHit = (outcome: string) =>
        new RegExp(`^hooks: x-cache of a second GET \\S+ is ${outcome}; it must be hit`);
      const cases: [string, Version, RegExp][] = [
        ['without a cache', api({ CACHE_MODE: 'off' }), noHit('bypass')],
        ['without Redis', api({ REDIS_URL: `redis://${await nobody()}` }), noHit('bypass')],
        ['that misses', answering(flags('miss')), noHit('miss')],
        ['that says nothing of it', answering(json({})), noHit('undefined')],
        ['that answers 503', answering(flags('hit', 503)), /^hooks: GET \S+ answered 503; it must be 200/],
        [
          'that throws',
          () => Promise.reject(new Error('no memory left')),
          /the version failed: Error: no memory left$/,
        ],
        ['that hangs', hanging, /^hooks: no proof within \d+ ms/],
      ];
      const verdicts = await Promise.all(
        cases.map(async ([name, version]) => {
          const options = version === hanging ? SHORTLY : {};
          return [name, await verdictOn('post-traffic', version, options)] as const;
        }),
      );
      expect(Object.fromEntries(verdicts)).toEqual(
        Object.fromEntries(
          cases.map(([name, , reason]) => [
            name,
            { told: [report('Failed')], reason: expect.stringMatching(reason) },
          ]),
        ),
      );
    },
    PATIENCE_MS,
  );
});

describe.each<Hook>(['pre-traffic', 'post-traffic'])('CodeDeploy, by the hook %s,', (hook) => {
  const version = () => answering(hook === 'pre-traffic' ? READY : flags('hit'), flags('hit'));

  it.concurrent('is told again when it does not take it at first', async () => {
    const busy = { status: 500, body: '{"__type":"InternalFailure"}' };
    const { told, run } = await deploymentOf(version(), { answers: [busy, busy] });
    await run(hook);
    expect(told).toEqual([report('Succeeded'), report('Succeeded'), report('Succeeded')]);
  });

  it.concurrent('has been told when it says so: an earlier answer was lost', async () => {
    const body = '{"__type":"LifecycleEventAlreadyCompletedException","message":"completed"}';
    const { told, run } = await deploymentOf(version(), { answers: [{ status: 400, body }] });
    await run(hook);
    expect(told).toEqual([report('Succeeded')]);
  });

  it.concurrent('is not told by a hook that may not: Lambda sees that it has failed', async () => {
    const body = '{"__type":"AccessDeniedException","message":"may not report"}';
    const { told, run } = await deploymentOf(version(), { answers: [{ status: 400, body }] });
    await expect(run(hook)).rejects.toThrow('may not report');
    expect(told).toHaveLength(1);
  });

  it.concurrent.each<[unknown, string]>([
    [{}, 'hooks: DeploymentId is undefined; it must be the id that CodeDeploy sends'],
    [null, 'hooks: DeploymentId is undefined;'],
    [{ ...EVENT, DeploymentId: '' }, 'hooks: DeploymentId is "";'],
    [{ ...EVENT, LifecycleEventHookExecutionId: 7 }, 'hooks: LifecycleEventHookExecutionId is 7;'],
  ])('is not told for the event %j, which is none of its own', async (event, message) => {
    const { aws, told, run } = await deploymentOf(version());
    await expect(run(hook, { event })).rejects.toThrow(message);
    expect({ told, requests: aws.requests }).toEqual({ told: [], requests: [] });
  });
});

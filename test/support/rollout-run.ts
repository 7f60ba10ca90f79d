/** A rollout on this machine: the synthesized definition, its tasks the deployed handlers, real Redis and PostgreSQL, AWS as its clients see it. */
import { jest } from '@jest/globals';
import type pg from 'pg';
import {
  API_SERVICE,
  AUDITOR_SERVICE,
  DISPATCHER_SERVICE,
  METRICS_NAMESPACE,
} from '../../lambda/contract/metrics.ts';
import { migrate } from '../../lambda/database/migrate.ts';
import { createPool } from '../../lambda/database/pool.ts';
import type { RedisConnection } from '../../lambda/redis/connection.ts';
import type { MachineEvent } from '../../lambda/rollout/machine-event.ts';
import { type Definition, type Execution, execute } from '../../rehearsal/machine/interpreter.ts';
import { awsEnvironment } from './aws.ts';
import { listenTo } from './listen-to.ts';
import { lookInto } from './redis.ts';
import { executionOf, MACHINE, NAME, type RolloutAws, STOP, startRolloutAws, ZONE } from './rollout-aws.ts';
import { freshDatabase, ownRedis } from './servers.ts';

const MINUTE_MS = 60_000;
/** How far the clock goes on before each look: some looks are `watching`, and one is the last. */
const LOOK_MS: Readonly<Record<string, number>> = { observe: 10 * MINUTE_MS, recovery: 6 * MINUTE_MS };
const OPERATOR = 'operator-function';
const API_ID = 'api1';

/** What a minute of the serverless backend shows; a healthy one unless a test says otherwise. */
export interface Served {
  requests: number;
  errors: number;
  hits: number;
  misses: number;
  p95Ms: number;
  connectionFailures: number;
  staleEntries: number;
}
export const HEALTHY: Served = {
  ...{ requests: 2000, errors: 0, hits: 950, misses: 50, p95Ms: 20 },
  ...{ connectionFailures: 0, staleEntries: 0 },
};

export interface World {
  readonly aws: RolloutAws;
  readonly redis: RedisConnection;
  readonly database: pg.Pool;
  /** What each backend answers, by path. */
  readonly answers: Record<'legacy' | 'serverless', Record<string, { status?: number; body: string }>>;
  served: Served;
  /** The messages that the topic got. */
  readonly messages: { subject: string; message: string }[];
  /** Back to the beginning: all traffic with the legacy backend, its mirror there, keys of both namespaces. */
  reset(): Promise<void>;
  run(options: RunOptions): Promise<Run>;
}

export interface RunOptions {
  readonly definition: Definition;
  readonly name?: string;
  /** Before a task is done; what it throws is how the task fails. It may hang. */
  readonly before?: (state: string) => unknown;
  readonly onEvent?: (event: MachineEvent) => void;
  /** Once a stage waits for an approval, by its token. Default: it is given. */
  readonly onApproval?: (token: string) => unknown;
  readonly waitMs?: number;
  readonly signal?: AbortSignal;
}

export interface Run extends Execution {
  /** The states that were entered, in their order. */
  readonly states: readonly string[];
}

export const OWN_KEYS = ['v2:mocs:user:1:list', 'v2:albums:7'];
export const LEGACY_KEYS = ['mocs:user:1:list', 'sessions:bob'];

/** Opens it for the test file. The clock of `Date` is set by it, and goes on by hand. */
export async function openWorld(): Promise<World> {
  Object.assign(process.env, { POWERTOOLS_DEV: 'true', LOG_LEVEL: 'SILENT' });
  const { flush, operator, compare, gate, traffic } = await handlers();
  const { url } = await ownRedis();
  const redis = await lookInto(url);
  const { url: databaseUrl } = await freshDatabase();
  await migrate(databaseUrl);
  const database = createPool({ url: databaseUrl, applicationName: 'test', maxConnections: 1 });
  const context = { getRemainingTimeInMillis: () => 30_000 };
  const aws = await startRolloutAws({
    pagePoints: 1000,
    functions: {
      [OPERATOR]: async (payload) => operator(payload, { getRemainingTimeInMillis: () => 60_000 }),
    },
  });
  const answers: World['answers'] = { legacy: {}, serverless: {} };
  const [legacyUrl, serverlessUrl] = await Promise.all(
    (['legacy', 'serverless'] as const).map((backend) =>
      listenTo((path, host) => (host === NAME ? answers[backend][path] : undefined)),
    ),
  );
  jest.useFakeTimers({ doNotFake: REAL, now: Date.now() });
  Object.assign(process.env, {
    ...awsEnvironment(aws),
    ...{ AWS_MAX_ATTEMPTS: '1', NODE_ENV: 'test' },
    ...{ REDIS_URL: url, DATABASE_URL: databaseUrl, MIGRATION_MODE: 'true', OPERATOR_FUNCTION: OPERATOR },
    ...{
      HOSTED_ZONE_ID: ZONE,
      RECORD_NAME: NAME,
      STOP_PARAMETER: STOP,
      API_ID,
      ALARM_PREFIX: 'Cutover-Dev-',
    },
    ...{ LEGACY_ADDRESS: legacyUrl, SERVERLESS_ADDRESS: serverlessUrl, HOST_NAME: NAME },
    COMPARE_PATHS: '["/api/config/flags","/api/users/1/mocs"]',
  });

  const world: World = {
    ...{ aws, redis, database, answers, served: { ...HEALTHY }, messages: [] },
    async reset() {
      Object.assign(aws, {
        weights: { legacy: 100, serverless: 0 },
        pending: 0,
        stop: 'none',
        executions: [],
      });
      for (const list of [aws.history, aws.data, aws.sent, aws.record, world.messages]) list.length = 0;
      aws.allow();
      for (const name of Object.keys(aws.alarms)) delete aws.alarms[name];
      const same = {
        '/api/config/flags': { body: '{"a":{"enabled":true},"b":1}' },
        '/api/users/1/mocs': { body: '[{"id":"1"}]' },
      };
      Object.assign(answers, { legacy: { ...same }, serverless: { ...same } });
      world.served = { ...HEALTHY };
      await redis.send(['FLUSHALL']);
      await database.query('TRUNCATE cutover_coverage');
      for (const [service, mirror] of [
        ['legacy', true],
        [DISPATCHER_SERVICE, false],
      ] as const) {
        const instance = { service, mirror, phase: null, env: 'test', startedAt: '2026-11-27T00:00:00.000Z' };
        await redis.send(['SET', `cutover:instance:${service}:1`, JSON.stringify(instance)]);
      }
      await fill(redis);
    },
    async run({ definition, name = 'rollout-1', before, onEvent, onApproval, waitMs = 0, signal }) {
      const execution = executionOf(name);
      aws.executions = [{ name, status: 'RUNNING' }];
      const states: string[] = [];
      const ended = await execute({
        ...{ definition, execution, machine: MACHINE, waitMs: () => waitMs, retryMs: 0 },
        ...(signal && { signal }),
        onEvent(event) {
          if (event.type.endsWith('StateEntered') && event.state) states.push(event.state);
          onEvent?.(event);
        },
        async invoke(resource, payload, state) {
          await before?.(state);
          if (resource.includes(':sns:')) return publish(resource, payload as Message);
          const { task = '' } = payload as { task?: string };
          pass(LOOK_MS[task] ?? 0);
          if (resource.includes('Flush')) return flush(payload, context);
          if (resource.includes('Traffic')) return traffic(payload);
          return resource.includes('Gate') ? gate(payload) : compare(payload);
        },
      });
      return { ...ended, states };

      async function publish(resource: string, { Subject, Message, MessageAttributes }: Message) {
        world.messages.push({ subject: Subject, message: Message });
        const token = MessageAttributes?.token.StringValue;
        if (token && resource.endsWith('waitForTaskToken')) {
          aws.events = [scheduled({ Subject, Message, MessageAttributes })];
          await (onApproval ?? approve)(token);
          return answerTo(token);
        }
        return { MessageId: '1' };
      }
    },
  };

  const approve = async (token: string) => void aws.sent.push(`success ${token} {"approvedBy":"test"}`);

  /** Waits until somebody sends the token back. */
  async function answerTo(token: string): Promise<unknown> {
    for (;;) {
      const found = aws.sent.find((sent) => sent.split(' ')[1] === token);
      const [how, , first = '', ...rest] = found?.split(' ') ?? [];
      if (how === 'success') return JSON.parse([first, ...rest].join(' '));
      if (how === 'failure') throw Object.assign(new Error(rest.join(' ')), { name: first });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Lets time pass, each minute of it with what is served. */
  function pass(ms: number): void {
    for (let left = ms; left > 0; left -= MINUTE_MS) {
      record(Date.now());
      jest.setSystemTime(Date.now() + MINUTE_MS);
    }
  }

  function record(at: number): void {
    const { served } = world;
    const own = (service: string, more = '') => `environment=test, ${more}service=${service}`;
    const put = (namespace: string, name: string, dimensions: string, value: number) =>
      aws.data.push({ namespace, name, dimensions, at, value });
    put('AWS/ApiGateway', 'Count', `ApiId=${API_ID}`, served.requests);
    put('AWS/ApiGateway', '5xx', `ApiId=${API_ID}`, served.errors);
    put(METRICS_NAMESPACE, 'CacheHits', own(API_SERVICE), served.hits);
    put(METRICS_NAMESPACE, 'CacheMisses', own(API_SERVICE), served.misses);
    put(METRICS_NAMESPACE, 'RequestLatency', own(API_SERVICE, 'route=flags, '), served.p95Ms);
    put(METRICS_NAMESPACE, 'RedisConnectionFailures', own(API_SERVICE), served.connectionFailures);
    put(METRICS_NAMESPACE, 'StaleEntries', own(AUDITOR_SERVICE), served.staleEntries);
  }
  return world;
}

/** Loaded when the level of their logs is set. */
async function handlers() {
  const [flush, operator, compare, gate, traffic] = await Promise.all([
    import('../../lambda/functions/flush.ts'),
    import('../../lambda/functions/operator.ts'),
    import('../../lambda/functions/rollout-compare.ts'),
    import('../../lambda/functions/rollout-gate.ts'),
    import('../../lambda/functions/rollout-traffic.ts'),
  ]);
  return {
    ...{ flush: flush.handler, operator: operator.handler, compare: compare.handler },
    ...{ gate: gate.handler, traffic: traffic.handler },
  };
}

/** All but the clock on the wall. */
const REAL = [
  ...['hrtime', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate', 'clearImmediate'],
  ...['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'],
] as 'hrtime'[];

/** As the history of an execution has it. */
const scheduled = (parameters: Message) => ({
  ...{ id: 7, previousEventId: 6, timestamp: 1_800_000_000, type: 'TaskScheduled' },
  taskScheduledEventDetails: {
    ...{ resourceType: 'sns', resource: 'publish.waitForTaskToken', region: 'eu-central-1' },
    parameters: JSON.stringify(parameters),
  },
});

interface Message {
  readonly Subject: string;
  readonly Message: string;
  readonly MessageAttributes?: { readonly token: { readonly StringValue: string } };
}

/** Puts there what a way back has to flush, and what it must not. */
export async function fill(redis: RedisConnection): Promise<void> {
  for (const key of [...OWN_KEYS, ...LEGACY_KEYS]) await redis.send(['SET', key, 'x']);
}

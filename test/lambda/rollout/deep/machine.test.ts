import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type RolloutStateName, STATES } from '../../../../lambda/contract/rollout.ts';
import { awsMachine } from '../../../../lambda/rollout/aws/machine.ts';
import { stopParameter } from '../../../../lambda/rollout/aws/stop-flag.ts';
import { requestStop } from '../../../../lambda/rollout/control.ts';
import type { Definition } from '../../../../rehearsal/machine/interpreter.ts';
import { MACHINE, STOP } from '../../../support/rollout-aws.ts';
import { synthesizeRollout } from '../../../support/rollout-definition.ts';
import {
  fill,
  HEALTHY,
  LEGACY_KEYS,
  OWN_KEYS,
  openWorld,
  type Run,
  type World,
} from '../../../support/rollout-run.ts';

const STAGES = [
  { percent: 5, minutes: 15, approval: true },
  { percent: 100, minutes: 15 },
];
const { definition } = synthesizeRollout((stage) => ({
  ...stage,
  ...(stage.rollout && { rollout: { ...stage.rollout, stages: STAGES } }),
}));
let world: World;

beforeAll(async () => {
  world = await openWorld();
}, 60_000);
beforeEach(() => world.reset());
afterAll(async () => {
  jest.useRealTimers();
  await world?.database.end();
});

const keys = async () =>
  ((await world.redis.send(['KEYS', '*'])) as string[]).filter((key) => !key.startsWith('cutover:'));
const stop = (reason = 'somebody said so') =>
  requestStop({ machine: awsMachine(MACHINE), flag: stopParameter(STOP) }, reason);

/** Where every way back ends. */
async function expectBack({ status, states }: Run, kept: readonly string[] = LEGACY_KEYS) {
  const { weights, history } = world.aws;
  expect(status).toBe('FAILED');
  expect(weights['legacy']).toBeGreaterThan(0);
  expect(weights['serverless']).toBe(0);
  for (const each of history) expect(Math.max(...Object.values(each))).toBeGreaterThan(0);
  const back = [STATES.legacyBack, STATES.serverlessBack, STATES.flushBack, STATES.tellBack, STATES.failed];
  expect(states.filter((state) => (back as string[]).includes(state))).toEqual(back);
  const left = await keys();
  expect(left.filter((key) => OWN_KEYS.includes(key))).toEqual([]);
  expect(left).toEqual(expect.arrayContaining([...kept]));
  expect(world.messages.at(-1)?.subject).toBe('Cutover dev: the rollout went back');
}

test('moves the traffic stage by stage, once each, and says that it is done', async () => {
  const run = await world.run({ definition });
  expect(run.status).toBe('SUCCEEDED');
  expect(world.aws.history).toEqual([
    { legacy: 95, serverless: 5 },
    { legacy: 0, serverless: 100 },
  ]);
  expect(world.messages.map(({ subject }) => subject)).toEqual([
    'Cutover dev: a stage waits for approval',
    'Cutover dev: the rollout is done',
  ]);
  const count = (state: string) => run.states.filter((each) => each === state).length;
  expect([STATES.coverage, STATES.alarms, STATES.compare, STATES.flush, STATES.advance].map(count)).toEqual(
    Array.from({ length: 5 }, () => STAGES.length),
  );
  // Without traffic there is no hit rate that could come back.
  expect(run.states.indexOf(STATES.recovery)).toBeGreaterThan(run.states.indexOf(STATES.observe));
});

/** Tasks before and while the traffic moves, and which time of it is meant: the latest, with the most to go back from. */
const FORWARD: readonly (readonly [RolloutStateName, number])[] = [
  [STATES.plan, 1],
  [STATES.coverage, 2],
  [STATES.alarms, 2],
  [STATES.compare, 2],
  [STATES.flush, 2],
  [STATES.recovery, 1],
  [STATES.advance, 2],
  [STATES.observe, 4],
  [STATES.approve, 1],
];
const BACK = [STATES.legacyBack, STATES.serverlessBack, STATES.flushBack, STATES.tellBack] as const;

/** Does something at the given time that a state is entered, and from then on. */
function from(wanted: string, time: number, act: () => unknown) {
  let entered = 0;
  return async (state: string) => {
    if (state !== wanted) return;
    entered += 1;
    if (entered < time) return;
    // What the serverless backend has cached by then.
    await fill(world.redis);
    await act();
  };
}

class Broken extends Error {
  override readonly name = 'Broken';
}
const broken = () => {
  throw new Broken('as a test wants it');
};
const never = () => new Promise(() => {});

/** A state that gives up after the shortest time there is. */
const hurried = (name: string): Definition => ({
  ...definition,
  States: { ...definition.States, [name]: { ...definition.States[name], Type: 'Task', TimeoutSeconds: 1 } },
});

describe.each(FORWARD)('%s, time %i', (state, time) => {
  beforeEach(() => {
    // So that there is something to take back, a rollout that goes on.
    if (state === STATES.plan) world.aws.weights = { legacy: 95, serverless: 5 };
  });

  test('that fails leads back', async () => {
    const run = await world.run({ definition, before: from(state, time, broken) });
    expect(run).toMatchObject({ error: 'Broken', cause: 'as a test wants it' });
    await expectBack(run);
  });

  test('that takes too long leads back', async () => {
    const run = await world.run({ definition: hurried(state), before: from(state, time, never) });
    expect(run.error).toBe('States.Timeout');
    await expectBack(run);
  });

  test('in which a stop is asked for leads back', async () => {
    const run = await world.run({
      definition,
      ...(state === STATES.approve
        ? { onApproval: () => fill(world.redis).then(() => stop()) }
        : { before: from(state, time, () => stop()) }),
    });
    expect(run).toMatchObject({
      error: 'RolloutStoppedError',
      cause: expect.stringContaining('stopped: somebody said so'),
    });
    // A flush that was under way has gone on, in every namespace.
    await expectBack(run, state === STATES.flush ? ['sessions:bob'] : LEGACY_KEYS);
  });
});

describe.each([STATES.settle, STATES.watching, STATES.recovering])('%s', (state) => {
  test('during which a stop is asked for leads back', async () => {
    let asked: Promise<unknown> | undefined;
    const run = await world.run({
      definition,
      waitMs: 100,
      onEvent: (event) => {
        if (event.type.endsWith('StateEntered') && event.state === state)
          asked ??= fill(world.redis).then(() => stop());
      },
    });
    await asked;
    expect(run.error).toBe('RolloutStoppedError');
    await expectBack(run);
  });
});

describe.each(BACK)('%s', (state) => {
  beforeEach(() => {
    world.served = { ...HEALTHY, errors: 100 };
  });

  /** Twice, and then no more. */
  const twice = (act: () => unknown) => {
    let times = 0;
    return async (entered: string) => {
      if (entered === STATES.observe) await fill(world.redis);
      if (entered !== state) return undefined;
      times += 1;
      return times <= 2 ? act() : undefined;
    };
  };

  test('that fails is tried again', async () => {
    const run = await world.run({ definition, before: twice(broken) });
    expect(run.error).toBe('RolloutGateError');
    await expectBack(run);
  });

  test('that takes too long is tried again', async () => {
    await expectBack(await world.run({ definition: hurried(state), before: twice(never) }));
  });

  test('is not held up by a stop', async () => {
    await expectBack(await world.run({ definition, before: twice(() => stop()) }));
  });

  test('that fails for good does not keep the later ones from being done', async () => {
    const run = await world.run({ definition, before: (entered) => entered === state && broken() });
    expect(run).toMatchObject({ status: 'FAILED', error: 'RolloutGateError' });
    expect(run.states.slice(-BACK.length - 1)).toEqual([...BACK, STATES.failed]);
  });
});

test('every task of the definition is in these tables', () => {
  const tasks = Object.keys(definition.States).filter((name) => definition.States[name]?.Type === 'Task');
  expect(tasks.sort()).toEqual([...FORWARD.map(([name]) => name), ...BACK, STATES.tell].sort());
  const waits = Object.keys(definition.States).filter((name) => definition.States[name]?.Type === 'Wait');
  expect(waits.sort()).toEqual([STATES.settle, STATES.watching, STATES.recovering].sort());
});

test('a message that nobody gets at the end takes nothing back', async () => {
  const run = await world.run({ definition, before: (state) => state === STATES.tell && broken() });
  expect(run.status).toBe('SUCCEEDED');
  expect(world.aws.weights).toEqual({ legacy: 0, serverless: 100 });
});

test('the way back never takes the last weight: with the legacy record gone it leaves the serverless one', async () => {
  world.served = { ...HEALTHY, errors: 100 };
  const run = await world.run({
    definition,
    before: (state) => {
      if (state === STATES.legacyBack) world.aws.weights = { serverless: 100 };
    },
  });
  expect(run.status).toBe('FAILED');
  expect(world.aws.weights).toEqual({ serverless: 100 });
  expect(world.messages.at(-1)?.message).toContain('legacy has no record');
});

describe('the gate', () => {
  test.each<[string, Partial<typeof HEALTHY>, string]>([
    ['errors', { errors: 2 }, 'errors 0.10 % are not below 0.1 %'],
    ['a low hit rate', { hits: 700, misses: 300 }, 'hit rate 0.70 is not above 0.8'],
    ['slow hits', { p95Ms: 150 }, 'p95 of hits 150 ms is not below 100 ms'],
    ['a lost connection', { connectionFailures: 1 }, 'connections to Redis failed, and none may'],
    ['a stale entry', { staleEntries: 1 }, 'entries older than their rows'],
    [
      'no traffic',
      { requests: 0, hits: 0, misses: 0 },
      'no request was answered; 0 reads are fewer than the 200',
    ],
  ])('does not hold with %s', async (_what, change, complaint) => {
    world.served = { ...HEALTHY, ...change };
    const run = await world.run({ definition, before: from(STATES.observe, 1, () => {}) });
    expect(run.error).toBe('RolloutGateError');
    expect(run.cause).toContain(`at 5 %: `);
    expect(run.cause).toContain(complaint);
    expect(world.aws.history.some(({ serverless }) => serverless === 100)).toBe(false);
    await expectBack(run);
  });
});

describe('before any weight changes', () => {
  const UNCOVERED = `INSERT INTO cutover_coverage VALUES ('mocs', 'express-3', now() - interval '1 hour', now(), 10, 4, now())`;

  test.each<[string, () => unknown, string]>([
    [
      'a legacy instance without the mirror',
      () => world.database.query(UNCOVERED),
      'express-3 changes mocs without an invalidation',
    ],
    [
      'no mirror at all',
      () => world.redis.send(['DEL', 'cutover:instance:legacy:1']),
      'no instance with the mirror',
    ],
    [
      'no dispatcher',
      () => world.redis.send(['DEL', 'cutover:instance:cutover-dispatcher:1']),
      'no dispatcher was seen',
    ],
    [
      'a red alarm',
      () => Object.assign(world.aws.alarms, { 'Cutover-Dev-Operations-Outbox': 'ALARM' }),
      'red alarms: Cutover-Dev-Operations-Outbox',
    ],
    [
      'another answer',
      () => Object.assign(world.answers.serverless, { '/api/users/1/mocs': { body: '[{"id":1}]' } }),
      'GET /api/users/1/mocs: /0/id: string, number',
    ],
    [
      'another status',
      () => Object.assign(world.answers.serverless, { '/api/config/flags': { status: 500, body: '{}' } }),
      'GET /api/config/flags: status 200, 500',
    ],
  ])('%s stops it, by name', async (_what, spoil, culprit) => {
    await spoil();
    const run = await world.run({ definition });
    expect(run).toMatchObject({ status: 'FAILED', error: 'RolloutGateError' });
    expect(run.cause).toContain(culprit);
    expect(world.aws.history).toEqual([]);
    expect(world.messages.at(-1)?.message).toContain(culprit);
  });
});

describe('refused, and nothing is touched', () => {
  test.each<[string, () => unknown, string]>([
    ['while another one runs', () => undefined, 'rollout-0 is running'],
    [
      'in a hosted zone that is not ours',
      () => world.aws.refuse('ListResourceRecordSets', 'NoSuchHostedZone'),
      'is not ours',
    ],
    [
      'without a record',
      () => Object.assign(world.aws, { weights: { legacy: 100 } }),
      'no weighted record serverless',
    ],
  ])('%s', async (what, spoil, message) => {
    await spoil();
    const isSecond = what === 'while another one runs';
    const run = await world.run({
      definition,
      before: () => {
        if (isSecond) world.aws.executions = [{ name: 'rollout-0', status: 'RUNNING' }];
      },
    });
    expect(run).toMatchObject({ status: 'FAILED', error: 'RolloutRefusedError' });
    expect(run.cause).toContain(message);
    expect(run.states.at(-1)).toBe(STATES.refused);
    expect([world.aws.history, world.messages]).toEqual([[], []]);
    expect(await keys()).toEqual(expect.arrayContaining([...OWN_KEYS, ...LEGACY_KEYS]));
  });
});

describe('weights that somebody has set by hand', () => {
  test('in the middle: it goes back, and says what it has found', async () => {
    const run = await world.run({
      definition,
      before: from(STATES.advance, 2, () => {
        world.aws.weights = { legacy: 60, serverless: 40 };
      }),
    });
    expect(run.cause).toMatch(
      /weights are 60 for legacy and 40 for serverless, .* left them at 95 and 5; somebody/,
    );
    await expectBack(run);
  });

  test('before it: it goes on with the next stage above them', async () => {
    world.aws.weights = { legacy: 60, serverless: 40 };
    expect((await world.run({ definition })).status).toBe('SUCCEEDED');
    expect(world.aws.history).toEqual([{ legacy: 0, serverless: 100 }]);
  });

  test('both to 0: the legacy backend gets all of it', async () => {
    world.aws.weights = { legacy: 0, serverless: 0 };
    const run = await world.run({ definition });
    expect(run).toMatchObject({ status: 'FAILED', error: 'RolloutWeightsError' });
    expect(world.aws.weights).toEqual({ legacy: 100, serverless: 0 });
  });
});

test('started again it observes the stage that has its weights, and goes on', async () => {
  world.aws.weights = { legacy: 95, serverless: 5 };
  const run = await world.run({ definition });
  expect(run.status).toBe('SUCCEEDED');
  expect(run.states.indexOf(STATES.observe)).toBeLessThan(run.states.indexOf(STATES.flush));
  expect(world.aws.history).toEqual([{ legacy: 0, serverless: 100 }]);
});

import { afterEach, describe, expect, test } from '@jest/globals';
import { type RollbackOptions, rollBack } from '../../../scripts/aws/rollback/index.ts';
import { awsEnvironment } from '../../support/aws.ts';
import {
  type AwsStage,
  type Deployed,
  deployedStage,
  OPERATOR,
  startAwsStage,
} from '../../support/aws-stage.ts';

const ENVIRONMENT = { ...process.env };
const STAGE = 'staging';
const FLUSHED = { command: 'flush', complete: true, scanned: 9, flushed: 4, preserved: 1, keys: 9 };
const FLUSH = (dryRun: boolean, namespace = 'v2') =>
  expect.stringMatching(
    new RegExp(`^invoke ${OPERATOR} .*"command":"flush","namespace":"${namespace}","dryRun":${dryRun}`),
  );
const ALL = ['legacy 100', 'in sync', 'serverless 0', 'alias 6 {}', FLUSH(false)];

afterEach(() => {
  process.env = { ...ENVIRONMENT };
});

/** The operator, which has flushed. */
const operator = async () => ({ ...FLUSHED, seconds: 0.1, classes: [], positions: [], restarts: 0 });

async function startStage(change: (deployed: Deployed) => void = () => {}): Promise<AwsStage> {
  const deployed = deployedStage(STAGE);
  change(deployed);
  const aws = await startAwsStage(deployed, { [OPERATOR]: operator });
  process.env = { ...ENVIRONMENT, ...awsEnvironment(aws), AWS_MAX_ATTEMPTS: '1' };
  return aws;
}

const roll = (options: Partial<RollbackOptions> = {}) =>
  rollBack({
    ...{ stage: STAGE, dryRun: false, signal: new AbortController().signal },
    patience: { everyMs: 1, patienceMs: 20_000 },
    ...options,
  });
const outcomesOf = ({ steps }: Awaited<ReturnType<typeof rollBack>>) => steps.map(({ outcome }) => outcome);

/** At no moment was nobody's weight above 0. */
const expectNobodyAtZero = ({ history }: AwsStage) => {
  for (const weights of history) expect(Math.max(...Object.values(weights))).toBeGreaterThan(0);
};

test('goes the way back in the order of the design, and says how things are now', async () => {
  const aws = await startStage((deployed) => {
    deployed.pending = 2;
  });
  const report = await roll();
  expect(outcomesOf(report)).toEqual(['done', 'done', 'done', 'done']);
  expect(aws.changes).toEqual(ALL);
  expect(aws.requests.filter((each) => each === 'route53 GetChange')).toHaveLength(3);
  expectNobodyAtZero(aws);
  expect(report).toMatchObject({
    complete: true,
    notes: [
      expect.stringMatching(/^Cutover-Staging-Service drifts now: .*moves the alias forward again/),
      expect.stringMatching(/^The weights stay/),
    ],
  });
});

test('does nothing a second time, and says so', async () => {
  const aws = await startStage();
  await roll();
  aws.changes.length = 0;
  const report = await roll();
  expect(outcomesOf(report)).toEqual(['already', 'already', 'already', 'done']);
  expect(aws.changes).toEqual([FLUSH(false)]);
  expect(report.notes[0]).toMatch(/drifts now/);
  expect(report.steps[2]?.text).toMatch(/version 6, and 7 has no traffic; --to-version/);
});

test('leaves a weight of the legacy backend that is above 0 as it is', async () => {
  const aws = await startStage((deployed) => {
    deployed.weights = { legacy: 95, serverless: 5 };
  });
  expect(outcomesOf(await roll())).toEqual(['already', 'done', 'done', 'done']);
  expect(aws.changes).toEqual(ALL.slice(2));
  expect(aws.deployed.weights).toEqual({ legacy: 95, serverless: 0 });
});

test('a dry run says what it would do, and changes nothing', async () => {
  const aws = await startStage();
  const report = await roll({ dryRun: true });
  expect(outcomesOf(report)).toEqual(['would', 'would', 'would', 'would']);
  expect(aws.changes).toEqual([FLUSH(true)]);
  expect(report.steps.map(({ text }) => text)).toEqual([
    'would set legacy of api.example.com from 0 to 100',
    'would set serverless of api.example.com from 100 to 0',
    'would move live of api-function from version 7 to 6',
    'would flush 4 keys under v2:',
  ]);
});

describe('what the stage does not have', () => {
  const noRollout = (deployed: Deployed) => {
    deployed.stacks['Cutover-Staging-Operations'] = {};
  };
  test.each<[string, (deployed: Deployed) => void]>([
    ['a rollout', noRollout],
    ['its records', (deployed) => void Object.assign(deployed, { weights: {} })],
  ])('%s: the alias goes back all the same', async (_what, change) => {
    const aws = await startStage(change);
    const report = await roll();
    expect(outcomesOf(report)).toEqual(['skipped', 'skipped', 'done', 'done']);
    expect(aws.changes).toEqual(ALL.slice(3));
    expect(report.notes.join()).not.toContain('weights');
  });

  test('a record for legacy: serverless keeps its weight, and what is missing is named', async () => {
    const aws = await startStage((deployed) => {
      deployed.weights = { serverless: 100 };
    });
    const report = await roll();
    expect(outcomesOf(report)).toEqual(['failed', 'failed', 'done', 'done']);
    expect(aws.deployed.weights).toEqual({ serverless: 100 });
    expect(report.steps[0]?.byHand).toMatch(/^add the record legacy of api\.example\.com .*Z0123456789ABC/);
  });

  test('a version before: the alias stays', async () => {
    const aws = await startStage((deployed) => {
      deployed.versions = [7];
    });
    const report = await roll();
    expect(outcomesOf(report)).toEqual(['done', 'done', 'failed', 'done']);
    expect(report).toMatchObject({ complete: false });
    expect(report.steps[2]).toMatchObject({ text: expect.stringMatching(/no version before 7/) });
    expect(aws.deployed.alias.version).toBe(7);
  });

  test('keys of its own, in the phase legacy: nothing is flushed', async () => {
    const aws = await startStage((deployed) => {
      Object.assign(deployed.stacks['Cutover-Staging-Service'] ?? {}, { MigrationPhase: 'legacy' });
    });
    expect(outcomesOf(await roll())).toEqual(['done', 'done', 'done', 'skipped']);
    expect(aws.changes).toEqual(ALL.slice(0, 4));
  });

  test.each(['dual', 'prefixed'])('in the phase %s they are under cw:', async (phase) => {
    const aws = await startStage((deployed) => {
      Object.assign(deployed.stacks['Cutover-Staging-Service'] ?? {}, { MigrationPhase: phase });
    });
    await roll();
    expect(aws.changes.at(-1)).toEqual(FLUSH(false, 'cw'));
  });
});

describe('the alias', () => {
  test.each<[string, Deployed['alias'], number[], string]>([
    ['the highest version below', { version: 12, shared: {}, revision: 1 }, [2, 9, 12], 'alias 9 {}'],
    ['by number, not by text', { version: 10, shared: {}, revision: 1 }, [8, 9, 10], 'alias 9 {}'],
    [
      'without the share of a newer one',
      { version: 6, shared: { 7: 0.05 }, revision: 1 },
      [6, 7],
      'alias 6 {}',
    ],
  ])('goes to %s', async (_what, alias, versions, change) => {
    const aws = await startStage((deployed) => Object.assign(deployed, { alias, versions }));
    await roll();
    expect(aws.changes).toContainEqual(change);
  });

  test('goes to the version that is named, if there is one', async () => {
    const aws = await startStage();
    expect((await roll({ toVersion: 4 })).steps[2]).toMatchObject({
      outcome: 'failed',
      text: 'there is no version 4; there are 7, 6, 5',
    });
    await roll({ toVersion: 5 });
    expect(aws.deployed.alias).toMatchObject({ version: 5, shared: {} });
  });

  const deploying = (creator: string) => (deployed: Deployed) => {
    Object.assign(deployed.stacks['Cutover-Staging-Service'] ?? {}, { ApiVersion: '6' });
    deployed.alias = { version: 6, shared: { 7: 0.05 }, revision: 1 };
    deployed.deployments = [{ id: 'd-FORWARD', creator, versionBefore: 6 }];
  };

  test('is left to CodeDeploy while a deployment is under way, which is stopped', async () => {
    const aws = await startStage(deploying('user'));
    const report = await roll();
    expect(outcomesOf(report)).toEqual(['done', 'done', 'done', 'done']);
    const stopped = 'stop d-FORWARD autoRollback true';
    expect(aws.changes).toEqual([...ALL.slice(0, 3), stopped, FLUSH(false)]);
    expect(aws.deployed.alias).toMatchObject({ version: 6, shared: {} });
    expect(report.notes[0]).toMatch(
      /update of Cutover-Staging-Service fails.*CloudFormation takes the stack back/,
    );
    // Nothing goes back another version.
    expect(outcomesOf(await roll())[2]).toBe('already');
    expect(aws.deployed.alias.version).toBe(6);
  });

  test('CodeDeploy’s own way back is waited for, not stopped', async () => {
    const aws = await startStage(deploying('codeDeployRollback'));
    expect(outcomesOf(await roll())).toEqual(['done', 'done', 'done', 'done']);
    expect(aws.changes.filter((each) => each.startsWith('stop'))).toEqual([]);
    expect(aws.deployed.alias).toMatchObject({ version: 6, shared: {} });
  });

  test('a dry run stops no deployment', async () => {
    const aws = await startStage(deploying('user'));
    expect((await roll({ dryRun: true })).steps[2]?.text).toMatch(/^would stop the deployment d-FORWARD/);
    expect(aws.changes).toEqual([FLUSH(true)]);
  });
});

describe('a step that fails does not keep the others from being done', () => {
  test.each<[string, string[], unknown[]]>([
    ['ListResourceRecordSets', ['failed', 'failed', 'done', 'done'], ALL.slice(3)],
    ['ChangeResourceRecordSets', ['failed', 'failed', 'done', 'done'], ALL.slice(3)],
    ['GetChange', ['failed', 'failed', 'done', 'done'], ['legacy 100', ...ALL.slice(3)]],
    ['ListDeployments', ['done', 'done', 'failed', 'done'], [...ALL.slice(0, 3), ALL[4]]],
    ['GetAlias', ['done', 'done', 'failed', 'done'], [...ALL.slice(0, 3), ALL[4]]],
    ['UpdateAlias', ['done', 'done', 'failed', 'done'], [...ALL.slice(0, 3), ALL[4]]],
    ['ListVersionsByFunction', ['done', 'done', 'failed', 'done'], [...ALL.slice(0, 3), ALL[4]]],
    ['Invoke', ['done', 'done', 'done', 'failed'], ALL],
  ])('%s is denied', async (action, outcomes, changes) => {
    const aws = await startStage();
    aws.refuse(action);
    const report = await roll();
    expect(outcomesOf(report)).toEqual(outcomes);
    expect(aws.changes).toEqual(changes);
    expectNobodyAtZero(aws);
    expect(report.complete).toBe(false);
    for (const { outcome, text, byHand } of report.steps) {
      expect(byHand !== undefined).toBe(outcome === 'failed');
      expect(text).not.toBe('');
    }
    // Once it is allowed, the rest is done.
    aws.allow();
    aws.deployed.pending = 0;
    expect((await roll()).complete).toBe(true);
    expect(aws.deployed.weights['serverless']).toBe(0);
    expect(aws.deployed.alias.version).toBe(6);
    expectNobodyAtZero(aws);
  });

  test('Route 53 is not in sync in time: serverless keeps its weight', async () => {
    const aws = await startStage((deployed) => {
      deployed.pending = 1_000_000;
    });
    const report = await roll({ patience: { everyMs: 1, patienceMs: 20 } });
    expect(outcomesOf(report)).toEqual(['failed', 'failed', 'done', 'done']);
    expect(aws.deployed.weights).toEqual({ legacy: 100, serverless: 100 });
    expect(report.steps[0]?.byHand).toMatch(/get-change --id \/change\/C1 says INSYNC, then run this again/);
  });

  test('the stack Service cannot be read: the traffic goes back all the same', async () => {
    const aws = await startStage((deployed) => {
      delete deployed.stacks['Cutover-Staging-Service'];
    });
    const report = await roll();
    expect(outcomesOf(report)).toEqual(['done', 'done', 'failed', 'failed']);
    expect(aws.changes).toEqual(ALL.slice(0, 3));
  });

  test('interrupted: what is under way ends, and nothing else is begun', async () => {
    const aws = await startStage();
    const controller = new AbortController();
    const report = await roll({ signal: controller.signal, onStep: () => controller.abort() });
    expect(outcomesOf(report)).toEqual(['done', 'failed', 'failed', 'failed']);
    expect(aws.changes).toEqual(['legacy 100', 'in sync']);
    expectNobodyAtZero(aws);
  });
});

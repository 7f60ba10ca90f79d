import { describe, expect, test } from '@jest/globals';
import { rollbackCommand } from '../../scripts/rollback.ts';
import { awsEnvironment } from '../support/aws.ts';
import {
  type AwsStage,
  type Deployed,
  deployedStage,
  OPERATOR,
  startAwsStage,
} from '../support/aws-stage.ts';
import { cutover, startCutover } from '../support/cli.ts';
import { helpOf } from '../support/help.ts';

const STAGE = 'staging';

async function startStage(change: (deployed: Deployed) => void = () => {}): Promise<AwsStage> {
  const deployed = deployedStage(STAGE);
  change(deployed);
  return startAwsStage(deployed, {
    [OPERATOR]: async () => ({
      ...{ command: 'flush', complete: true, scanned: 9, flushed: 4, preserved: 1, keys: 9, seconds: 0.1 },
      ...{ classes: [], positions: [], restarts: 0 },
    }),
  });
}

describe('the command', () => {
  const run = (args: readonly string[], environment: Record<string, string>) =>
    cutover(['rollback', '--stage', STAGE, ...args], environment);

  test('says each step, what is left, and how things are now', async () => {
    const aws = await startStage();
    aws.refuse('UpdateAlias');
    const { exitCode, stdout, stderr } = await run(['--yes'], awsEnvironment(aws));
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' });
    expect(stdout).toMatch(/^done {5}legacy weight {6}legacy of api\.example\.com from 0 to 100, in sync$/m);
    expect(stdout).toMatch(
      /^failed {3}alias .*lambda:UpdateAlias of api-function:live: the credentials may not/m,
    );
    expect(stdout).toMatch(/^ {2}alias: .*aws lambda update-alias --function-name api-function --name live/m);
    expect(stdout).toMatch(/^The weights stay/m);
  });

  test('--json prints the report and nothing else', async () => {
    const aws = await startStage();
    const { exitCode, stdout, stderr } = await run(['--yes', '--json'], awsEnvironment(aws));
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({
      stage: STAGE,
      dryRun: false,
      complete: true,
      steps: { length: 4 },
    });
    expect(aws.changes).toEqual([
      ...['legacy 100', 'in sync', 'serverless 0', 'alias 6 {}'],
      expect.stringMatching(/^invoke .*"namespace":"v2"/),
    ]);
  });

  test.each<[string, readonly string[], string]>([
    ['no terminal and no --yes', [], 'rollback: there is no terminal to ask at; add --yes'],
    ['a version that is none', ['--to-version', '$LATEST'], 'a version is a number from 1'],
  ])('%s: exit code 2, and AWS is not asked', async (_what, args, message) => {
    const aws = await startStage();
    const { exitCode, stdout, stderr } = await run(args, awsEnvironment(aws));
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain(message);
    expect(aws.requests).toEqual([]);
  });

  test('a stage that is not deployed: exit code 1, with the stack, the region and what to look at', async () => {
    const aws = await startStage((deployed) => {
      deployed.stacks = {};
    });
    const { exitCode, stderr } = await run(['--yes'], awsEnvironment(aws));
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /^cloudformation: there is no stack Cutover-Staging-Service in eu-central-1.*AWS_REGION/,
    );
  });

  test('Ctrl-C ends what is under way, begins nothing else, and says what is left', async () => {
    const aws = await startStage((deployed) => {
      deployed.pending = 1_000_000;
    });
    const started = startCutover(['rollback', '--stage', STAGE, '--yes'], awsEnvironment(aws));
    while (!aws.requests.includes('route53 GetChange'))
      await new Promise((resolve) => setTimeout(resolve, 20));
    started.interrupt();
    const { exitCode, stdout } = await started.ended;
    expect(exitCode).toBe(130);
    expect(aws.changes).toEqual(['legacy 100']);
    expect(aws.deployed.weights).toEqual({ legacy: 100, serverless: 100 });
    expect(stdout).toMatch(/^ {2}legacy weight: wait until .*INSYNC/m);
    expect(stdout.match(/not begun: interrupted/g)).toHaveLength(3);
  });

  test('--help names the order, the permissions and the exit codes', () => {
    const help = helpOf(rollbackCommand);
    const places = [
      'legacy weight',
      'serverless weight',
      'alias  ',
      'flush  ',
      'route53:List',
      'Exit codes',
    ].map((phrase) => help.indexOf(phrase));
    expect(places).not.toContain(-1);
    expect(places).toEqual([...places].sort((one, other) => one - other));
  });
});

import { stackNameOf } from '../../../lambda/contract/outputs.ts';
import type { Patience } from '../records.ts';
import { readRollout, readService, type ServiceOutputs } from '../stacks.ts';
import { type AliasResult, moveAliasBack } from './alias.ts';
import { byHandFlush, flushNamespaces } from './flush.ts';
import { type RollbackContext, STEPS, type StepName, type StepReport, type StepResult } from './step.ts';
import { weightSteps } from './weights.ts';

export interface RollbackReport {
  readonly stage: string;
  readonly dryRun: boolean;
  /** Whether nothing is left to do. */
  readonly complete: boolean;
  readonly steps: readonly StepReport[];
  /** How things are now. */
  readonly notes: readonly string[];
}

export interface RollbackOptions {
  readonly stage: string;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  readonly toVersion?: number | undefined;
  readonly patience?: Patience;
  readonly onStep?: (report: StepReport) => void;
}

/** Route 53 takes up to a minute, CodeDeploy seconds. */
const PATIENCE: Patience = { everyMs: 2000, patienceMs: 180_000 };

/**
 * The way back of a stage: the legacy weight above 0, the serverless weight to 0, the alias to the version before, then the
 * serverless backend's keys are flushed. A step that is done already does nothing; one that fails does not keep the later ones
 * from being done, as long as they do no harm without it. In a dry run nothing is changed.
 * @throws AwsError where not even the stacks can be read, and nothing was changed.
 */
export async function rollBack(options: RollbackOptions): Promise<RollbackReport> {
  const { stage, dryRun, signal, onStep = () => {} } = options;
  const context = await contextOf(options);
  const weights = weightSteps(context);
  let alias: AliasResult | undefined;
  const actions: Readonly<Record<StepName, () => Promise<StepResult>>> = {
    'legacy weight': weights.legacy,
    'serverless weight': weights.serverless,
    alias: async () => {
      alias = await moveAliasBack(context);
      const { stack: _stack, ...result } = alias;
      return result;
    },
    flush: () => flushNamespaces(context),
  };
  const steps: StepReport[] = [];
  for (const step of STEPS) {
    const result = signal.aborted ? notBegun : await actions[step]().catch(failure);
    const byHand = result.outcome === 'failed' ? (result.byHand ?? byHandOf(step, context)) : undefined;
    const report: StepReport = { step, ...result, ...(byHand && { byHand }) };
    steps.push(report);
    onStep(report);
  }
  const complete = steps.every(({ outcome }) => outcome !== 'failed');
  return { stage, dryRun, complete, steps, notes: dryRun ? [] : notesOf(stage, alias, steps) };
}

const notBegun: StepResult = { outcome: 'failed', text: 'not begun: interrupted' };
const failure = (error: unknown): StepResult => ({
  outcome: 'failed',
  text: error instanceof Error ? error.message : String(error),
});

/** A stack that cannot be read is no reason to leave what is in the other one. @throws when neither can be. */
async function contextOf(options: RollbackOptions): Promise<RollbackContext> {
  const { stage, dryRun, signal, toVersion, patience = PATIENCE } = options;
  const [service, rollout] = await Promise.allSettled([readService(stage), readRollout(stage)]);
  if (service.status === 'rejected' && rollout.status === 'rejected') throw service.reason;
  return {
    ...{ stage, dryRun, signal, patience, toVersion },
    service: () => settledValue(service),
    rollout: () => settledValue(rollout),
  };
}

function settledValue<T>(settled: PromiseSettledResult<T>): T {
  if (settled.status === 'rejected') throw settled.reason;
  return settled.value;
}

/** What a person does where a step has failed. */
function byHandOf(step: StepName, { stage, service }: RollbackContext): string {
  if (step === 'legacy weight') return 'set the weight of the record legacy to 100';
  if (step === 'serverless weight')
    return 'once legacy has a weight above 0, set the weight of serverless to 0';
  if (step === 'flush') return byHandFlush(stage);
  const { apiFunction, alias } = outputsOrNames(service);
  return `stop the deployment, if there is one, then: aws lambda update-alias --function-name ${apiFunction} --name ${alias} --function-version <the one before> --routing-config AdditionalVersionWeights={}`;
}

function outputsOrNames(service: () => ServiceOutputs): Pick<ServiceOutputs, 'apiFunction' | 'alias'> {
  try {
    return service();
  } catch {
    return { apiFunction: '<the API’s function>', alias: 'live' };
  }
}

function notesOf(stage: string, alias: AliasResult | undefined, steps: readonly StepReport[]): string[] {
  const stack = stackNameOf(stage, 'Service');
  const deployNothing =
    'The next deployment moves the alias forward again: deploy nothing but what mends it.';
  const weighted = steps.some(({ step, outcome }) => step === 'serverless weight' && outcome !== 'skipped');
  return [
    ...(alias?.stack === 'drifts'
      ? [`${stack} drifts now: its template has the alias at another version. ${deployNothing}`]
      : []),
    ...(alias?.stack === 'goes back'
      ? [
          `The update of ${stack} fails, since its deployment was stopped, and CloudFormation takes the stack back. ${deployNothing}`,
        ]
      : []),
    ...(weighted
      ? ['The weights stay as they are until somebody rolls out again; a deployment does not move them.']
      : []),
  ];
}

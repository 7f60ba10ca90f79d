import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import {
  MACHINE_OUTPUTS,
  ROLLOUT_OUTPUTS,
  SERVICE_OUTPUTS,
  type StackPart,
  stackNameOf,
} from '../../lambda/contract/outputs.ts';
import { AwsError, asking } from './errors.ts';

// A warning about later versions of the SDK than the one that is pinned here is no news for who is on call.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';

/** What the stack `Service` of a stage says of itself. */
export type ServiceOutputs = Readonly<Record<keyof typeof SERVICE_OUTPUTS, string>>;
/** What the stack `Operations` says of a stage that has a rollout. */
export type RolloutOutputs = Readonly<Record<keyof typeof ROLLOUT_OUTPUTS, string>>;

/** @throws AwsError when it is not deployed here, or by another version. */
export async function readService(stage: string): Promise<ServiceOutputs> {
  const outputs = await outputsOf(stage, 'Service');
  const missing = Object.values(SERVICE_OUTPUTS).filter((name) => !outputs.has(name));
  if (missing.length > 0) {
    throw new AwsError(
      `cloudformation: ${stackNameOf(stage, 'Service')} has no output ${missing.join(', ')}; it was deployed by another version: npm run deploy -- -c stage=${stage}`,
    );
  }
  return named(SERVICE_OUTPUTS, outputs);
}

/** Undefined for a stage without a rollout. @throws AwsError when it is not deployed here. */
export async function readRollout(stage: string): Promise<RolloutOutputs | undefined> {
  const outputs = await outputsOf(stage, 'Operations');
  const isThere = Object.values(ROLLOUT_OUTPUTS).every((name) => outputs.has(name));
  return isThere ? named(ROLLOUT_OUTPUTS, outputs) : undefined;
}

/** What the stack `Operations` says of what moves the weights. */
export type MachineOutputs = Readonly<Record<keyof typeof MACHINE_OUTPUTS, string>>;

/** Undefined for a stage without a rollout. @throws AwsError when it is not deployed here. */
export async function readMachine(stage: string): Promise<MachineOutputs | undefined> {
  const outputs = await outputsOf(stage, 'Operations');
  const isThere = Object.values(MACHINE_OUTPUTS).every((name) => outputs.has(name));
  return isThere ? named(MACHINE_OUTPUTS, outputs) : undefined;
}

function named<Name extends string>(
  names: Readonly<Record<Name, string>>,
  outputs: ReadonlyMap<string, string>,
): Record<Name, string> {
  return Object.fromEntries(
    Object.entries<string>(names).map(([name, output]) => [name, outputs.get(output) ?? '']),
  ) as Record<Name, string>;
}

/** What the names of a stage's stacks begin with, and so those of what they make. */
export const stackPrefixOf = (stage: string): string => stackNameOf(stage, 'Service').replace(/Service$/, '');

async function outputsOf(stage: string, part: StackPart): Promise<ReadonlyMap<string, string>> {
  const name = stackNameOf(stage, part);
  const client = new CloudFormationClient({});
  const asked = `cloudformation:DescribeStacks of ${name}`;
  const { Stacks = [] } = await asking(asked, async () => {
    try {
      return await client.send(new DescribeStacksCommand({ StackName: name }));
    } catch (error) {
      // CloudFormation has no error of its own for it.
      if (!(error instanceof Error && /does not exist/.test(error.message))) throw error;
      throw new AwsError(
        `cloudformation: there is no stack ${name} in ${await client.config.region()}, as these credentials see it; is ${stage} deployed (npm run deploy -- -c stage=${stage}), is it this region (AWS_REGION), this account (aws sts get-caller-identity)?`,
        { cause: error },
      );
    }
  });
  const outputs = Stacks.flatMap((stack) => stack.Outputs ?? []);
  return new Map(outputs.map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]));
}

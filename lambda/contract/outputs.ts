/** What the stacks of a stage tell the command line, as outputs: `lib/` writes them and `scripts/` reads them. */

/** The parts of a stage that have outputs. */
export type StackPart = 'Service' | 'Operations';

/** The outputs of the stack `Service`, which are always there. */
export const SERVICE_OUTPUTS = {
  /** The function that does what the command line asks for. */
  operator: 'OperatorFunctionName',
  /** The API's function, the alias that takes its traffic, and the version that this template puts there. */
  apiFunction: 'ApiFunctionName',
  alias: 'ApiAliasName',
  version: 'ApiVersion',
  /** What moves the alias. */
  application: 'DeploymentApplicationName',
  deploymentGroup: 'DeploymentGroupName',
  /** Where the migration stands, and the name in `cw:{env}:`. */
  phase: 'MigrationPhase',
  nodeEnv: 'NodeEnvironment',
} as const;

/** The outputs of the stack `Operations`, which are there where the stage has a rollout. */
export const ROLLOUT_OUTPUTS = {
  hostedZoneId: 'HostedZoneId',
  /** The name of both weighted records. */
  recordName: 'RecordName',
} as const;

/** What moves the weights: outputs of the stack `Operations`, where the stage has a rollout. */
export const MACHINE_OUTPUTS = {
  machine: 'RolloutStateMachineArn',
  /** Where a request to stop stands. */
  stopParameter: 'RolloutStopParameter',
} as const;

/** How Route 53 tells the two weighted records apart. */
export const SET_IDENTIFIERS = { legacy: 'legacy', serverless: 'serverless' } as const;
/** A backend that has a weight. */
export type Backend = keyof typeof SET_IDENTIFIERS;

/** `Cutover-Dev-Service`. */
export function stackNameOf(stage: string, part: StackPart): string {
  return `Cutover-${stage.charAt(0).toUpperCase()}${stage.slice(1)}-${part}`;
}

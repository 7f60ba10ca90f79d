import type { Environment } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { DataStack } from './data/data-stack.ts';
import { NetworkStack } from './network/network-stack.ts';
import { OperationsStack } from './operations/operations-stack.ts';
import type { CodeOf } from './service/cutover-function.ts';
import { ServiceStack } from './service/service-stack.ts';
import type { StageConfig } from './stages.ts';

/** How to build the stacks of a stage. */
export interface StacksOptions {
  /** The code of each function; its own bundle unless given. */
  readonly code?: CodeOf;
  readonly env?: Environment;
}

/** The four stacks of a stage. */
export interface Stacks {
  readonly network: NetworkStack;
  readonly data: DataStack;
  readonly service: ServiceStack;
  readonly operations: OperationsStack;
}

/** Builds the four stacks of a stage; each takes what it uses from the stacks before it. */
export function createStacks(
  scope: Construct,
  stage: StageConfig,
  { code, env }: StacksOptions = {},
): Stacks {
  const common = { stage, env };
  const network = new NetworkStack(scope, common);
  const data = new DataStack(scope, { ...common, network });
  const service = new ServiceStack(scope, { ...common, network, data, code });
  const operations = new OperationsStack(scope, { ...common, data, service });
  return { network, data, service, operations };
}

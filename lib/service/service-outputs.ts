import { CfnOutput, type Stack } from 'aws-cdk-lib';
import type { ILambdaDeploymentGroup } from 'aws-cdk-lib/aws-codedeploy';
import type { Alias, IFunction } from 'aws-cdk-lib/aws-lambda';
import { SERVICE_OUTPUTS } from '../../lambda/contract/outputs.ts';
import type { StageConfig } from '../stages.ts';

interface ServiceOutputsOptions {
  readonly stage: StageConfig;
  readonly operator: IFunction;
  readonly alias: Alias;
  readonly deploymentGroup: ILambdaDeploymentGroup;
}

/** Tells the command line what it works on, all that the contract names. */
export function addServiceOutputs(stack: Stack, options: ServiceOutputsOptions): void {
  const { stage, operator, alias, deploymentGroup } = options;
  const values: Record<keyof typeof SERVICE_OUTPUTS, string> = {
    operator: operator.functionName,
    apiFunction: alias.lambda.functionName,
    alias: alias.aliasName,
    version: alias.version.version,
    application: deploymentGroup.application.applicationName,
    deploymentGroup: deploymentGroup.deploymentGroupName,
    phase: stage.phase,
    nodeEnv: stage.nodeEnv,
  };
  for (const [name, value] of Object.entries(values)) {
    new CfnOutput(stack, SERVICE_OUTPUTS[name as keyof typeof SERVICE_OUTPUTS], { value });
  }
}

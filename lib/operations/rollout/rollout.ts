import { ArnFormat, CfnOutput, Duration, Stack, Validations } from 'aws-cdk-lib';
import { Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as LambdaTarget } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { DefinitionBody, LogLevel, StateMachine, StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { namespaceOf } from '../../../lambda/contract/metrics.ts';
import { FLUSH_TIMEOUT_SECONDS } from '../../../lambda/contract/operator.ts';
import { MACHINE_OUTPUTS } from '../../../lambda/contract/outputs.ts';
import {
  DEFAULT_ROLLOUT_STAGES,
  machineNameOf,
  NO_STOP,
  RECORD_TTL_SECONDS,
  stopParameterOf,
} from '../../../lambda/contract/rollout.ts';
import type { ServiceStack } from '../../service/service-stack.ts';
import { StageLogGroup } from '../../stage-log-group.ts';
import type { Rollout, StageConfig } from '../../stages.ts';
import { rolloutDefinition } from './definition.ts';
import { acknowledgeChanges, TaskFunctions } from './task-functions.ts';

interface RolloutMachineProps {
  readonly stage: StageConfig;
  readonly rollout: Rollout;
  readonly service: ServiceStack;
  readonly serverlessTarget: string;
  /** Told when a stage waits for an approval, when a rollout is done, and when it went back. */
  readonly topic: ITopic;
}

const MIN_SETTLE_SECONDS = 120;
const LOOK_SECONDS = 60;

/** What moves the traffic, stage by stage, and back: the state machine, its tasks, and what stops it when a deployment fails. */
export class RolloutMachine extends Construct {
  readonly machine: StateMachine;

  constructor(scope: Construct, id: string, props: RolloutMachineProps) {
    super(scope, id);
    const { stage, rollout, service, serverlessTarget, topic } = props;
    const stack = Stack.of(this);
    const stateMachineName = machineNameOf(stage.name);
    // By its name: the tasks name the machine, and the machine the tasks.
    const machineArn = stack.formatArn({
      ...{ service: 'states', resource: 'stateMachine', resourceName: stateMachineName },
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    const stop = new StringParameter(this, 'Stop', {
      parameterName: stopParameterOf(stage.name),
      description: 'The rollout that is asked to stop, and why',
      stringValue: NO_STOP,
    });
    const tasks = new TaskFunctions(this, 'Tasks', { service, rollout, serverlessTarget, machineArn, stop });
    acknowledgeChanges(tasks.traffic);
    const functions = {
      'rollout-traffic': tasks.traffic.functionArn,
      'rollout-gate': tasks.gate.functionArn,
      'rollout-compare': tasks.compare.functionArn,
      flush: service.flush.functionArn,
    };
    const namespace = namespaceOf(stage.phase);
    const definition = rolloutDefinition({
      ...{ functions, topicArn: topic.topicArn, stageName: stage.name },
      stages: rollout.stages ?? DEFAULT_ROLLOUT_STAGES,
      flushTimeoutSeconds: FLUSH_TIMEOUT_SECONDS,
      settleSeconds: Math.max(MIN_SETTLE_SECONDS, RECORD_TTL_SECONDS),
      lookSeconds: LOOK_SECONDS,
      ownNamespace: namespace === 'legacy' ? undefined : namespace,
    });
    this.machine = new StateMachine(this, 'Machine', {
      ...{ stateMachineName, stateMachineType: StateMachineType.STANDARD, tracingEnabled: true },
      comment: `The rollout of stage ${stage.name}`,
      definitionBody: DefinitionBody.fromString(stack.toJsonString(definition)),
      logs: {
        destination: new StageLogGroup(this, 'Logs', stage),
        ...{ level: LogLevel.ALL, includeExecutionData: true },
      },
    });
    // By hand: `grantInvoke` would grant every version and alias, too.
    this.machine.addToRolePolicy(
      new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: Object.values(functions) }),
    );
    this.machine.addToRolePolicy(
      new PolicyStatement({ actions: ['sns:Publish'], resources: [topic.topicArn] }),
    );
    Validations.of(this.machine).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'Traces and the delivery of logs: neither takes a resource.',
    });
    this.#stopOnFailedDeployment(service, tasks);
    new CfnOutput(stack, MACHINE_OUTPUTS.machine, { value: this.machine.stateMachineArn });
    new CfnOutput(stack, MACHINE_OUTPUTS.stopParameter, { value: stop.parameterName });
  }

  /** A version that was taken back is not to get more traffic. */
  #stopOnFailedDeployment({ deploymentGroup, deadLetters }: ServiceStack, tasks: TaskFunctions): void {
    // By hand: a policy of the queue would name the rule, and the stacks would need each other.
    tasks.stop.configureAsyncInvoke({ onFailure: { bind: () => ({ destination: deadLetters.queueArn }) } });
    tasks.stop.addToRolePolicy(
      new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [deadLetters.queueArn] }),
    );
    new Rule(this, 'FailedDeployment', {
      description: 'A deployment of the API that failed or was stopped stops the rollout',
      eventPattern: {
        source: ['aws.codedeploy'],
        detailType: ['CodeDeploy Deployment State-change Notification'],
        detail: {
          application: [deploymentGroup.application.applicationName],
          deploymentGroup: [deploymentGroup.deploymentGroupName],
          state: ['FAILURE', 'STOP'],
        },
      },
      targets: [new LambdaTarget(tasks.stop, { retryAttempts: 3, maxEventAge: Duration.minutes(15) })],
    });
  }
}

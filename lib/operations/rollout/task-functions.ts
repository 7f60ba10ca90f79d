import { Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { IStringParameter } from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import type { FunctionName } from '../../../lambda/contract/environment.ts';
import {
  DEFAULT_COMPARE_PATHS,
  machineNameOf,
  TASK_TIMEOUT_SECONDS,
} from '../../../lambda/contract/rollout.ts';
import { CutoverFunction, type CutoverFunctionProps } from '../../service/cutover-function.ts';
import type { ServiceStack } from '../../service/service-stack.ts';
import type { Rollout } from '../../stages.ts';

interface TaskFunctionsProps {
  readonly service: ServiceStack;
  readonly rollout: Rollout;
  /** Of the API's domain, which is not the domain's own name. */
  readonly serverlessTarget: string;
  readonly machineArn: string;
  /** Where a request to stop stands. */
  readonly stop: IStringParameter;
}

type RolloutFunction = Extract<FunctionName, `rollout-${string}`>;

/** The functions of a rollout, outside of the VPC, each with the permissions of its own tasks and no other. */
export class TaskFunctions extends Construct {
  readonly traffic: LambdaFunction;
  readonly gate: LambdaFunction;
  readonly compare: LambdaFunction;
  /** What stops the rollout that runs. */
  readonly stop: LambdaFunction;
  readonly #props: TaskFunctionsProps;

  constructor(scope: Construct, id: string, props: TaskFunctionsProps) {
    super(scope, id);
    this.#props = props;
    const { service, rollout, serverlessTarget, machineArn, stop } = props;
    const { stage } = service.platform;
    const STOP_PARAMETER = stop.parameterName;
    const { hostedZoneId: HOSTED_ZONE_ID, domainName: RECORD_NAME } = rollout;
    this.traffic = this.#add('rollout-traffic', 'Reads and moves the weights of a rollout', {
      ...{ HOSTED_ZONE_ID, RECORD_NAME, STOP_PARAMETER },
    });
    for (const statement of recordStatements(this, rollout)) this.traffic.addToRolePolicy(statement);
    this.#mayReadStop(this.traffic);
    this.traffic.addToRolePolicy(
      new PolicyStatement({ actions: ['states:ListExecutions'], resources: [machineArn] }),
    );

    this.gate = this.#add('rollout-gate', 'Looks whether a rollout may go on', {
      ...{ NODE_ENV: stage.nodeEnv, OPERATOR_FUNCTION: service.operator.functionName },
      ...{
        ALARM_PREFIX: service.stackName.replace(/Service$/, ''),
        API_ID: service.api.apiId,
        STOP_PARAMETER,
      },
    });
    this.#mayReadStop(this.gate);
    this.gate.addToRolePolicy(
      new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [service.operator.functionArn] }),
    );
    this.gate.addToRolePolicy(
      new PolicyStatement({
        actions: ['cloudwatch:DescribeAlarms', 'cloudwatch:GetMetricData'],
        resources: ['*'],
      }),
    );

    this.compare = this.#add(
      'rollout-compare',
      'Asks both backends the same, and compares what they answer',
      {
        ...{
          LEGACY_ADDRESS: `https://${rollout.legacyTarget}`,
          SERVERLESS_ADDRESS: `https://${serverlessTarget}`,
        },
        ...{ HOST_NAME: rollout.domainName, STOP_PARAMETER },
        COMPARE_PATHS: JSON.stringify(rollout.comparePaths ?? DEFAULT_COMPARE_PATHS),
      },
    );
    this.#mayReadStop(this.compare);

    this.stop = this.#add('rollout-stop', 'Stops the rollout that runs when a deployment has failed', {
      ...{ STATE_MACHINE: machineArn, STOP_PARAMETER },
    });
    this.#addStopPolicy();
  }

  #addStopPolicy(): void {
    const { machineArn, stop } = this.#props;
    const executions = `${machineArn.replace(':stateMachine:', ':execution:')}:*`;
    this.stop.addToRolePolicy(
      new PolicyStatement({ actions: ['states:ListExecutions'], resources: [machineArn] }),
    );
    this.stop.addToRolePolicy(
      new PolicyStatement({ actions: ['states:GetExecutionHistory'], resources: [executions] }),
    );
    this.stop.addToRolePolicy(
      new PolicyStatement({ actions: ['states:SendTaskFailure'], resources: [machineArn] }),
    );
    Validations.of(this.stop).acknowledge({
      id: `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:${machineNameOf(this.#props.service.platform.stage.name)}:*]`,
      reason: 'The executions of the one state machine, which have no names yet when the policy is made.',
    });
    this.stop.addToRolePolicy(
      new PolicyStatement({ actions: ['ssm:PutParameter'], resources: [stop.parameterArn] }),
    );
  }

  #add<Name extends RolloutFunction>(
    name: Name,
    description: string,
    settings: Omit<CutoverFunctionProps<Name>['settings'], 'LOG_LEVEL'>,
  ): LambdaFunction {
    const { platform } = this.#props.service;
    const id = name.replace(/^rollout-(.)/, (_, first: string) => first.toUpperCase());
    const props = {
      ...{ platform, name, description, endpoints: {}, timeoutSeconds: TASK_TIMEOUT_SECONDS },
      settings: { ...settings, LOG_LEVEL: platform.stage.logLevel },
    };
    return new CutoverFunction(this, id, props as unknown as CutoverFunctionProps<Name>);
  }

  #mayReadStop(fn: LambdaFunction): void {
    fn.addToRolePolicy(
      new PolicyStatement({ actions: ['ssm:GetParameter'], resources: [this.#props.stop.parameterArn] }),
    );
  }
}

/** What it takes to read the records of one name and to change them, and no other record of the zone. */
export function recordStatements(scope: Construct, { hostedZoneId, domainName }: Rollout): PolicyStatement[] {
  const { partition } = Stack.of(scope);
  const zone = `arn:${partition}:route53:::hostedzone/${hostedZoneId}`;
  return [
    new PolicyStatement({ actions: ['route53:ListResourceRecordSets'], resources: [zone] }),
    new PolicyStatement({
      actions: ['route53:ChangeResourceRecordSets'],
      resources: [zone],
      conditions: {
        'ForAllValues:StringEquals': {
          'route53:ChangeResourceRecordSetsNormalizedRecordNames': [domainName],
          'route53:ChangeResourceRecordSetsRecordTypes': ['CNAME'],
          'route53:ChangeResourceRecordSetsActions': ['UPSERT'],
        },
      },
    }),
    new PolicyStatement({
      actions: ['route53:GetChange'],
      resources: [`arn:${partition}:route53:::change/*`],
    }),
  ];
}

/** For cdk-nag: what `recordStatements` leaves open. */
export function acknowledgeChanges(fn: LambdaFunction): void {
  Validations.of(fn).acknowledge({
    id: 'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:route53:::change/*]',
    reason: 'A change has no name before it is made; what may be read of it is whether it is in sync.',
  });
}

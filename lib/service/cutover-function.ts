import { Duration, Validations } from 'aws-cdk-lib';
import { type ISecurityGroup, type IVpc, SubnetType } from 'aws-cdk-lib/aws-ec2';
import {
  Architecture,
  Code,
  Function as LambdaFunction,
  Runtime,
  Tracing,
  type VersionOptions,
} from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import {
  type EndpointVariable,
  type EnvironmentOf,
  FUNCTION_ENVIRONMENT,
  type FunctionName,
} from '../../lambda/contract/environment.ts';
import { bundleFunction } from '../bundle.ts';
import type { Endpoint, EndpointsOf } from '../data/endpoint.ts';
import { StageLogGroup } from '../stage-log-group.ts';
import type { StageConfig } from '../stages.ts';

const BASE_MEMORY_MB = 256;
const REDIS_CLIENT_MEMORY_MB = 128;

/** Where a function's code comes from. */
export type CodeOf = (name: FunctionName) => Code;

/** The code that is deployed: the bundle that was rehearsed, whole. */
export const bundledCode: CodeOf = (name) => Code.fromAsset(bundleFunction(name));

/** What the functions of a stage have in common. */
export interface FunctionPlatform {
  readonly stage: StageConfig;
  readonly vpc: IVpc;
  readonly securityGroup: ISecurityGroup;
  readonly code: CodeOf;
}

/** One function: what its contract leaves open, and nothing that it fixes. */
export interface CutoverFunctionProps<Name extends FunctionName> {
  readonly platform: FunctionPlatform;
  /** The handler's file in `lambda/functions/`. */
  readonly name: Name;
  readonly description: string;
  /** The variables of the function's contract, every one of them, without those of its endpoints. */
  readonly settings: Omit<EnvironmentOf<Name>, EndpointVariable>;
  /** The endpoints whose URLs the contract names; granting them sets the variables and opens the ports. */
  readonly endpoints: EndpointsOf<Name>;
  readonly timeoutSeconds: number;
  readonly versions?: VersionOptions;
}

/**
 * A function of `lambda/functions/`, with the environment that its contract names: in the VPC if that names an endpoint, which
 * is all that can be reached there, and outside of it if not.
 */
export class CutoverFunction<Name extends FunctionName> extends LambdaFunction {
  constructor(scope: Construct, id: string, props: CutoverFunctionProps<Name>) {
    const { platform, name, description, settings, endpoints, timeoutSeconds, versions } = props;
    const variables: readonly string[] = FUNCTION_ENVIRONMENT[name];
    // By the contract's names: an object with more endpoints than these has the right type, too.
    const granted = Object.entries<Endpoint>(endpoints).filter(([variable]) => variables.includes(variable));
    const isInVpc = granted.length > 0;
    super(scope, id, {
      description,
      code: platform.code(name),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: BASE_MEMORY_MB + (variables.includes('REDIS_URL') ? REDIS_CLIENT_MEMORY_MB : 0),
      timeout: Duration.seconds(timeoutSeconds),
      ...(isInVpc && {
        vpc: platform.vpc,
        vpcSubnets: { subnetType: SubnetType.PRIVATE_ISOLATED },
        securityGroups: [platform.securityGroup],
      }),
      tracing: Tracing.ACTIVE,
      logGroup: new StageLogGroup(scope, `${id}Logs`, platform.stage),
      environment: {
        ...settings,
        NODE_OPTIONS: '--enable-source-maps',
        // Aurora's certificate is signed by Amazon's RDS authority, which Lambda no longer loads by itself.
        NODE_EXTRA_CA_CERTS: '/var/runtime/ca-cert.pem',
      },
      currentVersionOptions: versions,
    });
    for (const [, endpoint] of granted) endpoint.grantConnect(this);
    this.acknowledgePolicies(isInVpc);
  }

  private acknowledgePolicies(isInVpc: boolean): void {
    Validations.of(this).acknowledge(
      {
        id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]',
        reason: 'Writing its own log is what every function does.',
      },
      {
        id: 'AwsSolutions-IAM5[Resource::*]',
        reason:
          'Traces and metrics: xray:PutTraceSegments, xray:PutTelemetryRecords, cloudwatch:PutMetricData and cloudwatch:GetMetricData take no resource; cloudwatch:DescribeAlarms only reads.',
      },
    );
    if (!isInVpc) return;
    Validations.of(this).acknowledge({
      id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole]',
      reason: 'Lambda itself makes the network interfaces, with names that it chooses.',
    });
  }
}

import { CfnOutput, RemovalPolicy } from 'aws-cdk-lib';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import type { ILambdaDeploymentGroup } from 'aws-cdk-lib/aws-codedeploy';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { WatchedFunction } from '../../lambda/contract/alarms.ts';
import { CutoverStack, type CutoverStackProps } from '../cutover-stack.ts';
import type { DataStack } from '../data/data-stack.ts';
import type { NetworkStack } from '../network/network-stack.ts';
import { AuditSchedule } from './audit-schedule.ts';
import { cachedSettings } from './cached-settings.ts';
import { Canary } from './canary.ts';
import { bundledCode, type CodeOf, CutoverFunction, type FunctionPlatform } from './cutover-function.ts';
import { DeadLetters } from './dead-letters.ts';
import { DispatchSchedule } from './dispatch-schedule.ts';
import { FlushSchedule } from './flush-schedule.ts';
import { Hooks } from './hooks.ts';
import { Migration } from './migration.ts';
import { Operator } from './operator.ts';
import { PublicApi } from './public-api.ts';
import { RollbackAlarms } from './rollback-alarms.ts';
import { addServiceOutputs } from './service-outputs.ts';

interface ServiceStackProps extends CutoverStackProps {
  readonly network: NetworkStack;
  readonly data: DataStack;
  /** The code of each function; its own bundle unless given. */
  readonly code?: CodeOf;
}

/** What runs: the API behind its canary, the migration before it, the scheduled flush and dispatcher, and what operators invoke. */
export class ServiceStack extends CutoverStack {
  readonly api: HttpApi;
  /** What the record of the stage's domain points to; undefined without a rollout. */
  readonly regionalDomainName: string | undefined;
  /** Where failed invocations are kept that nobody waits for. */
  readonly deadLetters: IQueue;
  /** What the rollout, which has functions of its own, is made with and asks. */
  readonly platform: FunctionPlatform;
  readonly operator: IFunction;
  readonly flush: IFunction;
  readonly deploymentGroup: ILambdaDeploymentGroup;
  /** The names of those that have alarms. */
  readonly functionNames: Readonly<Record<WatchedFunction, string>>;

  constructor(scope: Construct, props: ServiceStackProps) {
    super(scope, 'Service', props);
    const { stage, network, data, code = bundledCode } = props;
    const endpoints = { REDIS_URL: data.cache.serverless, DATABASE_URL: data.database };
    const platform: FunctionPlatform = {
      stage,
      vpc: network.vpc,
      securityGroup: network.securityGroups.lambda,
      code,
    };

    this.platform = platform;

    const migration = new Migration(this, 'Migration', {
      platform,
      endpoints: { DATABASE_URL: data.database.owner },
    });
    const fn = new CutoverFunction(this, 'ApiFunction', {
      platform,
      name: 'api',
      description: 'The serverless backend',
      settings: cachedSettings(stage),
      endpoints,
      timeoutSeconds: 10,
      // The way back is the version before, which CloudFormation would remove when the update is done. All of them go with the function.
      versions: {
        removalPolicy: stage.canary === 'all-at-once' ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN,
      },
    });
    const deadLetters = new DeadLetters(this, 'DeadLetters', { stage });
    this.deadLetters = deadLetters.queue;
    const { alarms } = new RollbackAlarms(this, 'RollbackAlarms', { stage, fn });
    const hooks = new Hooks(this, 'Hooks', { platform, fn, alarms, deadLetters });
    const { alias, group } = new Canary(this, 'Canary', { stage, fn, alarms, hooks });
    migration.trigger.executeBefore(alias);

    const publicApi = new PublicApi(this, 'PublicApi', { stage, alias });
    this.api = publicApi.api;
    this.regionalDomainName = publicApi.regionalDomainName;
    new CfnOutput(this, 'ApiUrl', { value: publicApi.url });
    const operator = new Operator(this, 'Operator', {
      platform,
      endpoints: {
        ...{ REDIS_URL: data.cache.flush, CENSUS_REDIS_URL: data.cache.census },
        ...{ RUNTIME_REDIS_URL: data.cache.runtime, DATABASE_URL: data.database },
      },
    });
    const flush = new FlushSchedule(this, 'Flush', { platform, operator, deadLetters });
    this.operator = operator;
    this.flush = flush.fn;
    this.deploymentGroup = group;
    addServiceOutputs(this, { stage, operator, alias, deploymentGroup: group });
    const dispatch = new DispatchSchedule(this, 'Dispatch', { platform, endpoints, deadLetters });
    migration.trigger.executeBefore(dispatch);
    const audit = new AuditSchedule(this, 'Audit', {
      ...{ platform, deadLetters },
      endpoints: { REDIS_URL: data.cache.auditor, DATABASE_URL: data.database },
    });
    migration.trigger.executeBefore(audit);
    this.functionNames = {
      api: fn.functionName,
      dispatcher: dispatch.fn.functionName,
      flush: flush.fn.functionName,
      auditor: audit.fn.functionName,
    };
  }
}

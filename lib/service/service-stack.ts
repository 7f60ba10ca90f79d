import { CfnOutput, RemovalPolicy } from 'aws-cdk-lib';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import type { Construct } from 'constructs';
import { CutoverStack, type CutoverStackProps } from '../cutover-stack.ts';
import type { DataStack } from '../data/data-stack.ts';
import type { NetworkStack } from '../network/network-stack.ts';
import { cachedSettings } from './cached-settings.ts';
import { Canary } from './canary.ts';
import { bundledCode, type CodeOf, CutoverFunction, type FunctionPlatform } from './cutover-function.ts';
import { DispatchSchedule } from './dispatch-schedule.ts';
import { FlushSchedule } from './flush-schedule.ts';
import { Migration } from './migration.ts';
import { PublicApi } from './public-api.ts';
import { Warming } from './warming.ts';

interface ServiceStackProps extends CutoverStackProps {
  readonly network: NetworkStack;
  readonly data: DataStack;
  /** The code of each function; its own bundle unless given. */
  readonly code?: CodeOf;
}

/** What runs: the API behind its canary, the migration and the warming before it, the scheduled flush and dispatcher. */
export class ServiceStack extends CutoverStack {
  readonly api: HttpApi;

  constructor(scope: Construct, props: ServiceStackProps) {
    super(scope, 'Service', props);
    const { stage, network, data, code = bundledCode } = props;
    const endpoints = { REDIS_URL: data.cache, DATABASE_URL: data.database };
    const platform: FunctionPlatform = {
      stage,
      vpc: network.vpc,
      securityGroup: network.securityGroups.lambda,
      code,
    };

    const migration = new Migration(this, 'Migration', { platform, endpoints });
    const fn = new CutoverFunction(this, 'ApiFunction', {
      platform,
      name: 'api',
      description: 'The serverless backend',
      settings: cachedSettings(stage),
      endpoints,
      timeoutSeconds: 10,
      // The way back is the version before: it has to be there still. All of them go with the function.
      versions: { removalPolicy: RemovalPolicy.RETAIN },
    });
    const { alias } = new Canary(this, 'Canary', { stage, fn });
    const warming = new Warming(this, 'Warming', { platform, endpoints });
    migration.trigger.executeBefore(alias, warming.trigger);
    warming.trigger.executeBefore(alias);

    const publicApi = new PublicApi(this, 'PublicApi', { stage, alias });
    this.api = publicApi.api;
    new CfnOutput(this, 'ApiUrl', { value: publicApi.url });
    new FlushSchedule(this, 'Flush', { platform, endpoints });
    migration.trigger.executeBefore(new DispatchSchedule(this, 'Dispatch', { platform, endpoints }));
  }
}

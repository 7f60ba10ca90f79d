import { Validations } from 'aws-cdk-lib';
import { AccessLogField, AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  HttpApi,
  HttpStage,
  LogGroupLogDestination,
  PayloadFormatVersion,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { Alias } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { StageLogGroup } from '../stage-log-group.ts';
import type { StageConfig } from '../stages.ts';

/** One JSON line a request, in the variables that HTTP APIs have; the CDK's default is that of REST APIs. */
const ACCESS_LOG_FORMAT = AccessLogFormat.custom(
  JSON.stringify({
    requestId: AccessLogField.contextRequestId(),
    time: AccessLogField.contextRequestTime(),
    ip: AccessLogField.contextIdentitySourceIp(),
    method: AccessLogField.contextHttpMethod(),
    path: AccessLogField.contextPath(),
    status: AccessLogField.contextStatus(),
    bytes: AccessLogField.contextResponseLength(),
    latencyMs: AccessLogField.contextResponseLatency(),
    integrationError: AccessLogField.contextIntegrationErrorMessage(),
  }),
);

interface PublicApiProps {
  readonly stage: StageConfig;
  /** An alias, never a function: what calls the function itself is not shifted by the canary. */
  readonly alias: Alias;
}

/** The HTTP API in front of the alias: every route goes to it, throttled and logged. */
export class PublicApi extends Construct {
  readonly api: HttpApi;
  readonly url: string;

  constructor(scope: Construct, id: string, { stage, alias }: PublicApiProps) {
    super(scope, id);
    const logGroup = new StageLogGroup(this, 'AccessLogs', stage);
    this.api = new HttpApi(this, 'HttpApi', {
      apiName: `cutover-${stage.name}`,
      createDefaultStage: false,
      defaultIntegration: new HttpLambdaIntegration('Alias', alias, {
        payloadFormatVersion: PayloadFormatVersion.VERSION_2_0,
      }),
    });
    const deployed = new HttpStage(this, 'Stage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: stage.api.requestsPerSecond, burstLimit: stage.api.burstRequests },
      accessLogSettings: { destination: new LogGroupLogDestination(logGroup), format: ACCESS_LOG_FORMAT },
    });
    this.url = deployed.url;
    Validations.of(this.api).acknowledge({
      id: 'AwsSolutions-APIG4',
      reason:
        'The routes are those of the legacy backend, for the same clients: an authorizer here would refuse whom the other backend serves.',
    });
  }
}

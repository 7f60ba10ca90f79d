import { Validations } from 'aws-cdk-lib';
import { AccessLogField, AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  type AddRoutesOptions,
  type CfnStage,
  DomainName,
  EndpointType,
  HttpApi,
  HttpMethod,
  type HttpRoute,
  HttpStage,
  LogGroupLogDestination,
  PayloadFormatVersion,
  SecurityPolicy,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpJwtAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import type { Alias } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import {
  ADMIN_FLAG_ROUTES,
  FLAGS_SCOPE,
  PUBLIC_FLAG_ROUTES,
  type Route,
  routeKeyOf,
} from '../../lambda/contract/flag-routes.ts';
import { LOGIN_ROUTE } from '../../lambda/contract/session-routes.ts';
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

/** What the routes of a kind have in common. */
type RouteOptions = Omit<AddRoutesOptions, 'path' | 'methods'>;

/**
 * The HTTP API in front of the alias: every route goes to it, throttled and logged. The admin routes and the login are for tokens
 * of the stage's issuer; without one nobody is let in, since the handler refuses what no authorizer has checked.
 */
export class PublicApi extends Construct {
  readonly api: HttpApi;
  readonly url: string;
  /** Where the record of the stage's domain points to, once it is this backend's turn; undefined without a rollout. */
  readonly regionalDomainName: string | undefined;

  constructor(scope: Construct, id: string, { stage, alias }: PublicApiProps) {
    super(scope, id);
    const logGroup = new StageLogGroup(this, 'AccessLogs', stage);
    const integration = new HttpLambdaIntegration('Alias', alias, {
      payloadFormatVersion: PayloadFormatVersion.VERSION_2_0,
    });
    this.api = new HttpApi(this, 'HttpApi', {
      apiName: `cutover-${stage.name}`,
      createDefaultStage: false,
      defaultIntegration: integration,
    });
    const domain = this.domainOf(stage);
    this.regionalDomainName = domain?.regionalDomainName;
    const deployed = new HttpStage(this, 'Stage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      ...(domain && { domainMapping: { domainName: domain } }),
      throttle: { rateLimit: stage.api.requestsPerSecond, burstLimit: stage.api.burstRequests },
      accessLogSettings: { destination: new LogGroupLogDestination(logGroup), format: ACCESS_LOG_FORMAT },
    });
    this.url = deployed.url;

    this.throttle(deployed, this.addRoutes(PUBLIC_FLAG_ROUTES, { integration }), stage);
    if (stage.oidc) {
      const { issuer, audience } = stage.oidc;
      const authorizer = new HttpJwtAuthorizer('Oidc', issuer, { jwtAudience: [audience] });
      this.addRoutes(ADMIN_FLAG_ROUTES, { integration, authorizer, authorizationScopes: [FLAGS_SCOPE] });
      this.addRoutes([LOGIN_ROUTE], { integration, authorizer });
    }
    Validations.of(this.api).acknowledge({
      id: 'AwsSolutions-APIG4',
      reason:
        'Routes without an authorizer are those of the legacy backend, for the same clients, whom one here would refuse, and reads of flags, which are public. What writes flags has one; without an issuer the handler refuses it.',
    });
  }

  /** The name that both backends answer to: clients keep it, whoever serves them. */
  private domainOf({ rollout }: StageConfig): DomainName | undefined {
    if (!rollout) return undefined;
    return new DomainName(this, 'Domain', {
      domainName: rollout.domainName,
      certificate: Certificate.fromCertificateArn(this, 'Certificate', rollout.certificateArn),
      endpointType: EndpointType.REGIONAL,
      securityPolicy: SecurityPolicy.TLS_1_2,
    });
  }

  private addRoutes(routes: readonly Route[], options: RouteOptions): HttpRoute[] {
    return routes.flatMap(({ method, path }) =>
      this.api.addRoutes({ path, methods: [HttpMethod[method]], ...options }),
    );
  }

  /** The CDK's stage knows one throttle for all routes. */
  private throttle(deployed: HttpStage, routes: readonly HttpRoute[], { publicFlags }: StageConfig): void {
    const { requestsPerSecond, burstRequests } = publicFlags;
    const limit = { ThrottlingRateLimit: requestsPerSecond, ThrottlingBurstLimit: burstRequests };
    const resource = deployed.node.defaultChild as CfnStage;
    resource.routeSettings = Object.fromEntries(
      PUBLIC_FLAG_ROUTES.map((route) => [routeKeyOf(route), limit]),
    );
    // API Gateway refuses the settings of a route that is not there yet.
    resource.node.addDependency(...routes);
  }
}

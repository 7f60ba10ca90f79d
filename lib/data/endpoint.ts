import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { EndpointName, EnvironmentOf, FunctionName } from '../../lambda/contract/environment.ts';

/** Something that functions connect to, as the variables of `ENDPOINT_VARIABLES` say. */
export interface Endpoint {
  /**
   * Sets the function's variables, gives its role the permission that showing who it is takes, and opens the port from its
   * security group to this one: one without the others is a function that does not start or one that hangs.
   */
  grantConnect(fn: LambdaFunction): void;
}

/** The cache, by who connects to it. */
export interface CacheEndpoints {
  /** REDIS_URL of the API and the dispatcher. */
  readonly serverless: Endpoint;
  /** REDIS_URL of what flushes. */
  readonly flush: Endpoint;
  /** CENSUS_REDIS_URL of what counts. */
  readonly census: Endpoint;
  /** RUNTIME_REDIS_URL of what tries what the API may. */
  readonly runtime: Endpoint;
  /** REDIS_URL of what compares entries with their rows. */
  readonly auditor: Endpoint;
  /** The ids of the nodes, under which CloudWatch keeps their metrics; none of a cache that is not ours. */
  readonly nodeIds: readonly string[];
}

/** Every endpoint, by the environment variable that carries its URL. */
export type Endpoints = Readonly<Record<EndpointName, Endpoint>>;

/** The endpoints that a function's contract names: exactly these have to be granted. */
export type EndpointsOf<Name extends FunctionName> = Pick<
  Endpoints,
  Extract<keyof EnvironmentOf<Name>, keyof Endpoints>
>;

import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { EnvironmentOf, FunctionName } from '../../lambda/contract/environment.ts';

/** Something that functions connect to, through the URL in one environment variable. */
export interface Endpoint {
  /**
   * Gives the function the URL and opens the port from its security group to this one: the one without the
   * other is a function that does not start or one that hangs.
   */
  grantConnect(fn: LambdaFunction): void;
}

/** Every endpoint, by the environment variable that carries its URL. */
export interface Endpoints {
  readonly REDIS_URL: Endpoint;
  readonly DATABASE_URL: Endpoint;
}

/** The endpoints that a function's contract names: exactly these have to be granted. */
export type EndpointsOf<Name extends FunctionName> = Pick<
  Endpoints,
  Extract<keyof EnvironmentOf<Name>, keyof Endpoints>
>;

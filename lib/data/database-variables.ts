import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { ENDPOINT_VARIABLES } from '../../lambda/contract/environment.ts';

type DatabaseVariable = (typeof ENDPOINT_VARIABLES)['DATABASE_URL'][number];

/** Sets all that a function is told of a database. */
export function setDatabaseVariables(
  fn: LambdaFunction,
  variables: Readonly<Record<DatabaseVariable, string>>,
): void {
  for (const [name, value] of Object.entries(variables)) fn.addEnvironment(name, value);
}

interface Address {
  /** Goes into the URL as it is. */
  readonly user: string;
  readonly host: string;
  readonly port: number;
  readonly databaseName: string;
}

/** A URL without a password, of a server that has to show its certificate. */
export function databaseUrl({ user, host, port, databaseName }: Address): string {
  return `postgresql://${user}@${host}:${port}/${databaseName}?sslmode=verify-full`;
}

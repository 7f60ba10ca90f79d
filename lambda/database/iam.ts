import { connectToken } from '../aws/connect-token.ts';
import type { AwsCredentials } from '../aws/credentials.ts';

/** RDS's IAM authentication. */
export interface IamOptions {
  readonly host: string;
  readonly port: string;
  readonly user: string;
  readonly region: string;
  /** Asked for each token: those of a role are replaced while the process runs. */
  readonly credentials: () => AwsCredentials;
}

/** A token for a user of the database. @throws what `credentials` throws. */
export async function iamToken({ host, port, user, region, credentials }: IamOptions): Promise<string> {
  const request = { service: 'rds-db', region, host: `${host}:${port}`, user: { DBUser: user } } as const;
  return connectToken(request, credentials());
}

import { Connections, type ISecurityGroup, Port } from 'aws-cdk-lib/aws-ec2';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { ExistingServer } from '../stages.ts';
import type { CacheEndpoints, Endpoint } from './endpoint.ts';
import { PASSWORD_FIELD } from './url-safe-secret.ts';

interface ExistingCacheProps {
  readonly server: ExistingServer;
  readonly securityGroup: ISecurityGroup;
}

/**
 * A cache that is there: its users are its owner's, and all functions connect as the one whom its secret names. That user needs
 * what `accessStringsOf` gives to `serverless`, `flush`, `census` and `auditor` together.
 */
export class ExistingCache extends Construct implements CacheEndpoints {
  readonly serverless: Endpoint;
  readonly flush: Endpoint;
  readonly census: Endpoint;
  readonly runtime: Endpoint;
  readonly auditor: Endpoint;
  /** Not known of a cache that is not ours. */
  readonly nodeIds: readonly string[] = [];

  constructor(scope: Construct, id: string, { server, securityGroup }: ExistingCacheProps) {
    super(scope, id);
    const { host, port, secretArn } = server;
    const connections = new Connections({ securityGroups: [securityGroup], defaultPort: Port.tcp(port) });
    const secret = Secret.fromSecretCompleteArn(this, 'Secret', secretArn);
    const field = (name: string) => secret.secretValueFromJson(name).unsafeUnwrap();
    const [username, password] = [field('username'), field(PASSWORD_FIELD)];
    const url = `rediss://${username}@${host}:${port}`;
    const admit = (variables: Readonly<Record<string, string>>): Endpoint => ({
      grantConnect(fn) {
        for (const [variable, value] of Object.entries(variables)) fn.addEnvironment(variable, value);
        connections.allowDefaultPortFrom(fn, 'Functions to the cache');
      },
    });
    this.serverless = admit({
      REDIS_URL: url,
      REDIS_AUTH: 'url',
      // Not in the URL: nothing can escape it there.
      REDIS_PASSWORD: password,
      REDIS_CLUSTER: '0',
      REDIS_IAM_CACHE: '',
    });
    this.flush = this.serverless;
    this.auditor = this.serverless;
    this.census = admit({ CENSUS_REDIS_URL: url });
    this.runtime = admit({ RUNTIME_REDIS_URL: url });
  }
}

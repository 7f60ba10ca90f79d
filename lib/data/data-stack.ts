import { CfnOutput, CfnWaitConditionHandle } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { CutoverStack, type CutoverStackProps } from '../cutover-stack.ts';
import type { NetworkStack } from '../network/network-stack.ts';
import type { StageConfig } from '../stages.ts';
import { Cache, type CacheProps } from './cache.ts';
import { AuroraDatabase, type Database } from './database.ts';
import type { CacheEndpoints } from './endpoint.ts';
import { ExistingCache } from './existing-cache.ts';
import { ExistingDatabase } from './existing-database.ts';

interface DataStackProps extends CutoverStackProps {
  readonly network: NetworkStack;
}

/** What both backends share: the cache and the database. */
export class DataStack extends CutoverStack {
  readonly cache: CacheEndpoints;
  readonly database: Database;

  constructor(scope: Construct, props: DataStackProps) {
    super(scope, 'Data', props);
    const { stage, network } = props;
    const { vpc, securityGroups } = network;
    this.cache = this.cacheOf(stage.cache, { stage, vpc, securityGroup: securityGroups.cache });
    const { database } = stage;
    const securityGroup = securityGroups.database;
    this.database =
      'existing' in database
        ? new ExistingDatabase(this, 'Database', { ...database, securityGroup })
        : new AuroraDatabase(this, 'Database', { stage, database, vpc, securityGroup });
    if ('existing' in stage.cache && 'existing' in database) {
      // CloudFormation takes no stack without a resource; this one is nothing, and costs nothing.
      new CfnWaitConditionHandle(this, 'Nothing');
    }
  }

  private cacheOf(cache: StageConfig['cache'], props: Omit<CacheProps, 'cache'>): CacheEndpoints {
    if ('existing' in cache) {
      return new ExistingCache(this, 'Cache', { ...props, server: cache.existing });
    }
    const created = new Cache(this, 'Cache', { ...props, cache });
    // What the legacy backend has to be told.
    new CfnOutput(this, 'CacheHost', { value: created.host });
    new CfnOutput(this, 'LegacyCacheSecret', { value: created.users.legacySecret.secretArn });
    return created;
  }
}

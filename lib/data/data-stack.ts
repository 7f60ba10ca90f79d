import type { Construct } from 'constructs';
import { CutoverStack, type CutoverStackProps } from '../cutover-stack.ts';
import type { NetworkStack } from '../network/network-stack.ts';
import { Cache } from './cache.ts';
import { Database } from './database.ts';

interface DataStackProps extends CutoverStackProps {
  readonly network: NetworkStack;
}

/** What both backends share: the cache and the database. */
export class DataStack extends CutoverStack {
  readonly cache: Cache;
  readonly database: Database;

  constructor(scope: Construct, props: DataStackProps) {
    super(scope, 'Data', props);
    const { stage, network } = props;
    const { vpc, securityGroups } = network;
    this.cache = new Cache(this, 'Cache', { stage, vpc, securityGroup: securityGroups.cache });
    this.database = new Database(this, 'Database', { stage, vpc, securityGroup: securityGroups.database });
  }
}

import type {
  ExistingDatabaseServer,
  ExistingServer,
  ExistingVpc,
  Rollout,
  StageConfig,
} from '../../../lib/stages.ts';

/** What a team has before it deploys; every value is another, so that two that change places show. */
export const EXISTING_VPC: ExistingVpc = {
  vpcId: 'vpc-0a1b2c3d4e5f60718',
  availabilityZones: ['eu-central-1a', 'eu-central-1c'],
  isolatedSubnetIds: ['subnet-0aaaaaaaaaaaaaaa1', 'subnet-0cccccccccccccc03'],
};

export const EXISTING_CACHE: ExistingServer = {
  host: 'master.shop.abc123.euc1.cache.amazonaws.com',
  port: 6390,
  securityGroupId: 'sg-0cac0000000000001',
  secretArn: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:shop/cache-AbCd12',
};

export const EXISTING_DATABASE: ExistingDatabaseServer = {
  host: 'shop.cluster-xyz.eu-central-1.rds.amazonaws.com',
  port: 5490,
  databaseName: 'shop',
  securityGroupId: 'sg-0db00000000000002',
  secretArn: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:shop/database-EfGh34',
};

export const ROLLOUT: Rollout = {
  domainName: 'api.shop.example',
  certificateArn: 'arn:aws:acm:eu-central-1:111122223333:certificate/01234567-89ab-cdef-0123-456789abcdef',
  hostedZoneId: 'Z0123456789ABCDEFGHIJ',
  legacyTarget: 'legacy-lb-123.eu-central-1.elb.amazonaws.com',
};

/** The stage with nothing of its own but its functions. */
export const existing = (stage: StageConfig): StageConfig => ({
  ...stage,
  vpc: { existing: EXISTING_VPC },
  cache: { existing: EXISTING_CACHE },
  database: { existing: EXISTING_DATABASE },
});

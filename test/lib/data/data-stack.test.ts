import { describe, expect, it } from '@jest/globals';
import { Match } from 'aws-cdk-lib/assertions';
import { onlyResource, resourcesOf, synthesize } from '../../infra/support/synthesis.ts';

const CACHE = 'AWS::ElastiCache::ReplicationGroup';
const PARAMETERS = 'AWS::ElastiCache::ParameterGroup';

const dev = synthesize('dev').data;
const production = synthesize('production').data;

describe('the cache', () => {
  it('encrypts in transit and at rest, and wants a token', () => {
    const [tokenId] =
      resourcesOf(dev, 'AWS::SecretsManager::Secret').filter(([id]) => id.includes('Token'))[0] ?? [];
    dev.hasResourceProperties(CACHE, {
      TransitEncryptionEnabled: true,
      TransitEncryptionMode: 'required',
      AtRestEncryptionEnabled: true,
      AuthToken: {
        'Fn::Join': ['', ['{{resolve:secretsmanager:', { Ref: tokenId }, ':SecretString:password::}}']],
      },
    });
  });

  it('is Redis 7 on the smallest node, and evicts nothing that has no TTL', () => {
    dev.hasResourceProperties(CACHE, {
      Engine: 'redis',
      EngineVersion: '7.1',
      CacheNodeType: 'cache.t3.micro',
    });
    dev.hasResourceProperties(PARAMETERS, {
      CacheParameterGroupFamily: 'redis7',
      Properties: { 'maxmemory-policy': 'volatile-ttl' },
    });
  });

  it('is Valkey when the stage says so, parameters included', () => {
    const { data } = synthesize('dev', {
      change: (stage) => ({ ...stage, cache: { ...stage.cache, engine: 'valkey' } }),
    });
    data.hasResourceProperties(CACHE, { Engine: 'valkey', EngineVersion: '8.0' });
    data.hasResourceProperties(PARAMETERS, { CacheParameterGroupFamily: 'valkey8' });
  });

  it('fails over to the other zone as soon as there is a replica, and only then', () => {
    dev.hasResourceProperties(CACHE, {
      NumCacheClusters: 1,
      MultiAZEnabled: false,
      AutomaticFailoverEnabled: false,
    });
    production.hasResourceProperties(CACHE, {
      NumCacheClusters: 2,
      MultiAZEnabled: true,
      AutomaticFailoverEnabled: true,
    });
  });
});

describe('the database', () => {
  const CLUSTER = 'AWS::RDS::DBCluster';

  it('is encrypted Aurora PostgreSQL that takes IAM tokens', () => {
    dev.hasResourceProperties(CLUSTER, {
      Engine: 'aurora-postgresql',
      StorageEncrypted: true,
      EnableIAMDatabaseAuthentication: true,
      ServerlessV2ScalingConfiguration: { MinCapacity: 0.5, MaxCapacity: 2 },
    });
  });

  it('has no public address', () => {
    dev.allResourcesProperties('AWS::RDS::DBInstance', { PubliclyAccessible: false });
  });

  it('has a reader in production that can take over', () => {
    dev.resourceCountIs('AWS::RDS::DBInstance', 1);
    production.resourceCountIs('AWS::RDS::DBInstance', 2);
    production.hasResourceProperties('AWS::RDS::DBInstance', { PromotionTier: 1 });
  });
});

describe('the passwords', () => {
  it('are safe inside a URL', () => {
    const secrets = resourcesOf(dev, 'AWS::SecretsManager::Secret');
    expect(secrets).toHaveLength(2);
    for (const [, secret] of secrets) {
      expect(secret.Properties['GenerateSecretString']).toMatchObject({
        ExcludePunctuation: true,
        PasswordLength: 40,
      });
    }
  });
});

describe('what is left of the data', () => {
  it('is nothing in dev', () => {
    expect(onlyResource(dev, CACHE)[1].DeletionPolicy).toBe('Delete');
    dev.hasResource('AWS::RDS::DBCluster', {
      DeletionPolicy: 'Delete',
      Properties: Match.objectLike({ DeletionProtection: false }),
    });
  });

  it('is a snapshot in production, and the passwords', () => {
    expect(onlyResource(production, CACHE)[1].DeletionPolicy).toBe('Snapshot');
    production.hasResource('AWS::RDS::DBCluster', {
      DeletionPolicy: 'Snapshot',
      Properties: Match.objectLike({ DeletionProtection: true }),
    });
    production.allResources('AWS::SecretsManager::Secret', { DeletionPolicy: 'Retain' });
  });
});

import { ArnFormat, Stack } from 'aws-cdk-lib';
import { CfnUser, CfnUserGroup } from 'aws-cdk-lib/aws-elasticache';
import { Construct } from 'constructs';
import { accessStringsOf, REDIS_USERS, type RedisUser } from '../../lambda/contract/access.ts';
import type { StageConfig } from '../stages.ts';
import { UrlSafeSecret } from './url-safe-secret.ts';

/** Those that show a password: the legacy backend runs where nobody signs tokens. */
const WITH_PASSWORD: readonly RedisUser[] = ['legacy', 'legacy-twins', 'legacy-state'];

/** A Valkey cache takes users of this engine, too, so that the upgrade to it replaces none. */
const ENGINE = 'redis';

/**
 * Who may connect to the cache, and what each may do: `lambda/contract/access.ts`. Ours show IAM tokens; the legacy backend's
 * users share one password. Nobody is the default user.
 */
export class CacheUsers extends Construct {
  /** What the replication group is told. */
  readonly groupId: string;
  /** Of the legacy backend's users. */
  readonly legacySecret: UrlSafeSecret;
  readonly #stage: StageConfig;

  constructor(scope: Construct, id: string, { stage }: { readonly stage: StageConfig }) {
    super(scope, id);
    this.#stage = stage;
    this.legacySecret = new UrlSafeSecret(this, 'LegacyPassword', {
      stage,
      description: 'Password of the legacy backend for the cache, and for its mirror',
      username: this.nameOf('legacy'),
    });
    const nobody = new CfnUser(this, 'Default', {
      engine: ENGINE,
      userId: this.nameOf('default'),
      // Every group has one of this name, whom a client without a name would be.
      userName: 'default',
      accessString: 'off -@all',
      authenticationMode: { Type: 'no-password-required' },
    });
    const accessStrings = accessStringsOf({ phase: stage.phase, env: stage.nodeEnv });
    const users = REDIS_USERS.map(
      (user) =>
        new CfnUser(this, user, {
          engine: ENGINE,
          // ElastiCache takes an IAM token only of a user whose id is its name.
          userId: this.nameOf(user),
          userName: this.nameOf(user),
          accessString: accessStrings[user],
          authenticationMode: WITH_PASSWORD.includes(user)
            ? { Type: 'password', Passwords: [this.legacySecret.passwordReference] }
            : { Type: 'iam' },
        }),
    );
    const group = new CfnUserGroup(this, 'Group', {
      engine: ENGINE,
      userGroupId: this.nameOf('users'),
      userIds: [nobody, ...users].map(({ ref }) => ref),
    });
    this.groupId = group.ref;
  }

  /** The user's id and name, of its own in an account with several stages. */
  nameOf(user: RedisUser | 'default' | 'users'): string {
    return `cutover-${this.#stage.name}-${user}`;
  }

  arnOf(user: RedisUser): string {
    return elastiCacheArn(this, 'user', this.nameOf(user));
  }
}

/** The ARN of an ElastiCache resource of the scope's account and region. */
export const elastiCacheArn = (scope: Construct, resource: string, resourceName: string): string =>
  Stack.of(scope).formatArn({
    service: 'elasticache',
    resource,
    resourceName,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });

import { Duration } from 'aws-cdk-lib';
import { Trigger } from 'aws-cdk-lib/triggers';
import { Construct } from 'constructs';
import { APP_ROLE } from '../data/database.ts';
import type { Endpoints } from '../data/endpoint.ts';
import { CutoverFunction, type FunctionPlatform } from './cutover-function.ts';

const TIMEOUT_SECONDS = 300;

interface MigrationProps {
  readonly platform: FunctionPlatform;
  readonly endpoints: Pick<Endpoints, 'DATABASE_URL'>;
}

/**
 * Migrates the database schema during the deployment. What must not run on the old schema is put behind it
 * with `executeBefore`; a migration that fails fails the deployment, and the traffic stays where it is.
 */
export class Migration extends Construct {
  readonly trigger: Trigger;

  constructor(scope: Construct, id: string, { platform, endpoints }: MigrationProps) {
    super(scope, id);
    const fn = new CutoverFunction(this, 'Function', {
      platform,
      name: 'migrate',
      description: 'Brings the database schema up to date, once a deployment that changes it',
      settings: {
        // In an existing database the functions are the same user as the migration.
        DATABASE_APP_ROLE: 'existing' in platform.stage.database ? '' : APP_ROLE,
        LOG_LEVEL: platform.stage.logLevel,
      },
      endpoints,
      timeoutSeconds: TIMEOUT_SECONDS,
    });
    this.trigger = new Trigger(this, 'Trigger', {
      handler: fn,
      timeout: Duration.seconds(TIMEOUT_SECONDS),
    });
  }
}

import { environmentName } from '../cache/phase.ts';
import { ConfigurationError } from '../contract/errors.ts';
import { PRE_TRAFFIC_SERVICE } from '../contract/metrics.ts';
import { requireQuiet } from '../hooks/alarms.ts';
import { persistently } from '../hooks/attempts.ts';
import { canaryMinutes } from '../hooks/canary-minutes.ts';
import { expectTraffic, minutesOf } from '../hooks/expectation.ts';
import { warmFlags } from '../hooks/flags.ts';
import { requireReady } from '../hooks/readiness.ts';
import { type HookContext, runHook } from '../hooks/run-hook.ts';
import { versionAt } from '../hooks/version.ts';
import { createLogger } from '../telemetry/logger.ts';

const logger = createLogger(PRE_TRAFFIC_SERVICE);

/** Each 2 s, for more than the minute within which an alarm looks again. */
const QUIET_ATTEMPTS = 35;

/**
 * Before a new version gets traffic: has it ask its PostgreSQL, and its Redis where it reads there, from inside the VPC, and warm the
 * flags under the keys that it reads; and makes sure that the alarms that are to watch it are not red already. Tells CodeDeploy in
 * every case.
 * @throws as `runHook`.
 */
export async function handler(event: unknown, context: HookContext): Promise<void> {
  await runHook({ event, context, logger, prove });
}

async function prove(signal: AbortSignal): Promise<void> {
  const { NODE_ENV, NEW_VERSION, CACHE_MODE, CANARY_MINUTES, ROLLBACK_ALARMS } = process.env;
  const environment = environmentName(NODE_ENV);
  const minutes = canaryMinutes(CANARY_MINUTES);
  const alarms = alarmNames(ROLLBACK_ALARMS);
  const { number: version, ask } = versionAt(NEW_VERSION);
  // `memory` is the way back from a Redis that makes trouble: it must not be what keeps a version from being deployed.
  const needs = CACHE_MODE === 'redis' ? ['redis', 'postgres'] : ['postgres'];
  await persistently(() => requireReady(ask, { needs, signal }), { signal, logger });
  await persistently(() => warmFlags(ask, signal), { signal, logger });
  await persistently(() => requireQuiet(alarms, signal), { signal, logger, attempts: QUIET_ATTEMPTS });
  await expectTraffic(minutesOf(minutes), { service: PRE_TRAFFIC_SERVICE, environment, version });
}

/** Of the alarms on which the deployment is rolled back, with a comma between two. */
function alarmNames(value: string | undefined): string[] {
  const names = (value ?? '').split(',');
  if (!names.includes('')) return names;
  throw new ConfigurationError(
    `hooks: ROLLBACK_ALARMS is ${JSON.stringify(value)}; it must be the names of the deployment group's alarms, separated by commas`,
  );
}

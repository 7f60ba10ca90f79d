import { environmentName } from '../cache/phase.ts';
import { persistently } from '../hooks/attempts.ts';
import { canaryMinutes } from '../hooks/canary-minutes.ts';
import { requireHit } from '../hooks/flags.ts';
import { requireGate } from '../hooks/gate.ts';
import { type HookContext, runHook } from '../hooks/run-hook.ts';
import { versionAt } from '../hooks/version.ts';
import { createLogger } from '../telemetry/logger.ts';

const logger = createLogger('cutover-post-traffic');

/**
 * When a new version has all of the traffic: reads the flags twice, the second time from its cache, and judges its canary. Tells
 * CodeDeploy in every case.
 * @throws as `runHook`.
 */
export async function handler(event: unknown, context: HookContext): Promise<void> {
  await runHook({ event, context, logger, prove });
}

async function prove(signal: AbortSignal): Promise<void> {
  const { NODE_ENV, NEW_VERSION, CANARY_MINUTES } = process.env;
  const environment = environmentName(NODE_ENV);
  const minutes = canaryMinutes(CANARY_MINUTES);
  const { functionName, number: version, ask } = versionAt(NEW_VERSION);
  // The two reads may be two sandboxes', of which one has just started.
  await persistently(() => requireHit(ask, signal), { signal, logger });
  if (minutes > 0) await requireGate({ functionName, version, environment, minutes });
}

import { persistently } from '../hooks/attempts.ts';
import { requireHit } from '../hooks/flags.ts';
import { type HookContext, runHook } from '../hooks/run-hook.ts';
import { versionAt } from '../hooks/version.ts';
import { createLogger } from '../telemetry/logger.ts';

const logger = createLogger('cutover-post-traffic');

/**
 * When a new version has all of the traffic: reads the flags twice, the second time from its cache. Tells CodeDeploy in every case.
 * @throws as `runHook`.
 */
export async function handler(event: unknown, context: HookContext): Promise<void> {
  await runHook({ event, context, logger, prove });
}

async function prove(signal: AbortSignal): Promise<void> {
  const { NEW_VERSION } = process.env;
  const { ask } = versionAt(NEW_VERSION);
  // The two reads may be two sandboxes', of which one has just started.
  await persistently(() => requireHit(ask, signal), { signal, logger });
}

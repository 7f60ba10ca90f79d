import { ConfigurationError } from '../contract/errors.ts';
import { stopParameter } from '../rollout/aws/stop-flag.ts';
import { backendAt } from '../rollout/compare/backend.ts';
import { compare, requireSame } from '../rollout/compare/compare.ts';
import { requireTask, requireVariables } from '../rollout/event.ts';
import { unlessStopped } from '../rollout/stop.ts';
import { createLogger } from '../telemetry/logger.ts';

const FUNCTION = 'rollout-compare';
const logger = createLogger(`cutover-${FUNCTION}`);

/**
 * The task `compare` of a rollout: asks both backends the same, by their own addresses and under the name that clients know.
 * @throws RolloutGateError that names the routes; RolloutStoppedError; what a backend that does not answer throws.
 */
export async function handler(event: unknown): Promise<unknown> {
  const { execution } = requireTask(FUNCTION, event);
  const { LEGACY_URL, SERVERLESS_URL, HOST_NAME, COMPARE_PATHS, STOP_PARAMETER } = requireVariables(
    FUNCTION,
    ...(['LEGACY_URL', 'SERVERLESS_URL', 'HOST_NAME', 'COMPARE_PATHS', 'STOP_PARAMETER'] as const),
  );
  const answer = await unlessStopped(stopParameter(STOP_PARAMETER), execution, async () =>
    requireSame(
      await compare({
        legacy: backendAt({ url: LEGACY_URL, host: HOST_NAME, variable: 'LEGACY_URL' }),
        serverless: backendAt({ url: SERVERLESS_URL, host: HOST_NAME, variable: 'SERVERLESS_URL' }),
        paths: pathsOf(COMPARE_PATHS),
      }),
    ),
  );
  logger.info('compare', { answer });
  return answer;
}

function pathsOf(text: string): string[] {
  try {
    const paths: unknown = JSON.parse(text);
    if (Array.isArray(paths) && paths.every((path) => typeof path === 'string')) return paths;
  } catch {
    // Answered below.
  }
  throw new ConfigurationError(`${FUNCTION}: COMPARE_PATHS is ${text}; it must be a list of paths, as JSON`);
}

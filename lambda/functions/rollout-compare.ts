import { ConfigurationError } from '../contract/errors.ts';
import { stopParameter } from '../rollout/aws/stop-flag.ts';
import { backendAt } from '../rollout/compare/backend.ts';
import { compare, requireSame } from '../rollout/compare/compare.ts';
import { requireSet, requireTask } from '../rollout/event.ts';
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
  const { LEGACY_ADDRESS, SERVERLESS_ADDRESS, HOST_NAME, COMPARE_PATHS, STOP_PARAMETER } = process.env;
  const settings = requireSet(FUNCTION, {
    LEGACY_ADDRESS,
    SERVERLESS_ADDRESS,
    HOST_NAME,
    COMPARE_PATHS,
    STOP_PARAMETER,
  });
  const answer = await unlessStopped(stopParameter(settings.STOP_PARAMETER), execution, async () =>
    requireSame(
      await compare({
        legacy: backendAt({
          url: settings.LEGACY_ADDRESS,
          host: settings.HOST_NAME,
          variable: 'LEGACY_ADDRESS',
        }),
        serverless: backendAt({
          url: settings.SERVERLESS_ADDRESS,
          host: settings.HOST_NAME,
          variable: 'SERVERLESS_ADDRESS',
        }),
        paths: pathsOf(settings.COMPARE_PATHS),
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
  throw new ConfigurationError(
    `${FUNCTION}: settings.COMPARE_PATHS is ${text}; it must be a list of paths, as JSON`,
  );
}

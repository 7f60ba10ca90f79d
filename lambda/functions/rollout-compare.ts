import { ConfigurationError } from '../contract/errors.ts';
import { stopParameter } from '../rollout/aws/stop-flag.ts';
import { backendAt } from '../rollout/compare/backend.ts';
import { requireSet, requireTask } from '../rollout/event.ts';
import { compareTask } from '../rollout/tasks/compare.ts';
import { createLogger } from '../telemetry/logger.ts';

const FUNCTION = 'rollout-compare';
const logger = createLogger(`cutover-${FUNCTION}`);

/** The task `compare`: asks by their own addresses and under the name that clients know. @throws as `compareTask`; ConfigurationError. */
export async function handler(event: unknown): Promise<unknown> {
  requireTask(FUNCTION, event);
  const { LEGACY_ADDRESS, SERVERLESS_ADDRESS, HOST_NAME, COMPARE_PATHS, STOP_PARAMETER } = process.env;
  const settings = requireSet(FUNCTION, {
    LEGACY_ADDRESS,
    SERVERLESS_ADDRESS,
    HOST_NAME,
    COMPARE_PATHS,
    STOP_PARAMETER,
  });
  const backend = (variable: 'LEGACY_ADDRESS' | 'SERVERLESS_ADDRESS') =>
    backendAt({ url: settings[variable], host: settings.HOST_NAME, variable });
  const answer = await compareTask({
    legacy: backend('LEGACY_ADDRESS'),
    serverless: backend('SERVERLESS_ADDRESS'),
    paths: pathsOf(settings.COMPARE_PATHS),
    stop: stopParameter(settings.STOP_PARAMETER),
  })(event);
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

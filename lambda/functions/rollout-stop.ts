import { awsMachine } from '../rollout/aws/machine.ts';
import { stopParameter } from '../rollout/aws/stop-flag.ts';
import { requestStop } from '../rollout/control.ts';
import { requireSet } from '../rollout/event.ts';
import { createLogger } from '../telemetry/logger.ts';

const FUNCTION = 'rollout-stop';
const logger = createLogger(`cutover-${FUNCTION}`);

/** What CodeDeploy tells of a deployment that has failed or was stopped. */
interface DeploymentEvent {
  readonly detail?: { readonly deploymentId?: string; readonly state?: string };
}

/** Stops the rollout that runs, if one does: a version that was taken back is not to get more traffic. @throws the errors of the AWS SDK. */
export async function handler({ detail }: DeploymentEvent): Promise<{ readonly stopped: readonly string[] }> {
  const { STATE_MACHINE, STOP_PARAMETER } = process.env;
  const settings = requireSet(FUNCTION, { STATE_MACHINE, STOP_PARAMETER });
  const reason = `the deployment ${detail?.deploymentId ?? 'of the API'} ended with ${detail?.state ?? 'a failure'}`;
  const stopped = await requestStop(
    { machine: awsMachine(settings.STATE_MACHINE), flag: stopParameter(settings.STOP_PARAMETER) },
    reason,
  );
  logger.info('stop requested', { reason, stopped });
  return { stopped };
}

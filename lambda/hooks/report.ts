import {
  CodeDeployClient,
  LifecycleEventAlreadyCompletedException,
  PutLifecycleEventHookExecutionStatusCommand,
} from '@aws-sdk/client-codedeploy';
import type { LifecycleEvent } from './lifecycle-event.ts';

export type Verdict = 'Succeeded' | 'Failed';

const CONNECT_TIMEOUT_MS = 1000;
const REQUEST_TIMEOUT_MS = 5000;
/** With the pauses between them less than the third of a hook's time that is theirs. */
const MAX_ATTEMPTS = 5;

/**
 * Tells CodeDeploy how a hook has ended, again where it does not answer: without a word the deployment waits for an hour.
 * @throws the errors of the AWS SDK.
 */
export async function report(
  { deploymentId, hookExecutionId }: LifecycleEvent,
  verdict: Verdict,
): Promise<void> {
  const client = new CodeDeployClient({
    maxAttempts: MAX_ATTEMPTS,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
  });
  const command = new PutLifecycleEventHookExecutionStatusCommand({
    deploymentId,
    lifecycleEventHookExecutionId: hookExecutionId,
    status: verdict,
  });
  try {
    await client.send(command);
  } catch (error) {
    // An attempt before this one has arrived, and its answer has not.
    if (!(error instanceof LifecycleEventAlreadyCompletedException)) throw error;
  }
}

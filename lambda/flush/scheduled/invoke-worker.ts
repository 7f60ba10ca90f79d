import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { CutoverError } from '../../contract/errors.ts';
import { FLUSH_WORKER_TIMEOUT_SECONDS } from '../../contract/flush.ts';
import type { FlushEvent } from '../event.ts';
import type { WorkerReport } from '../worker.ts';

/** The worker has failed: names what it says. */
export class FlushWorkerError extends CutoverError {
  override readonly name = 'FlushWorkerError';
  readonly code = 'CUTOVER_FLUSH_WORKER';
}

/** Has the worker do one turn. @throws FlushWorkerError; on the way there, the errors of the AWS SDK. */
export type InvokeWorker = (event: FlushEvent) => Promise<WorkerReport>;

const CONNECT_TIMEOUT_MS = 2000;
/** Of one turn, there and back: a turn that is asked for again after it is over, and never beside itself. */
const REQUEST_TIMEOUT_MS = (FLUSH_WORKER_TIMEOUT_SECONDS + 5) * 1000;

/** @param functionName the worker's name or ARN. */
export function workerNamed(functionName: string): InvokeWorker {
  const client = new LambdaClient({
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
  });
  return async (event) => {
    const { FunctionError, Payload } = await client.send(
      new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(event) }),
    );
    const answer: unknown = JSON.parse(Payload?.transformToString() || 'null');
    // Both are of one deployment.
    if (FunctionError === undefined && isObject(answer)) return answer as unknown as WorkerReport;
    const { errorType = FunctionError ?? 'no answer', errorMessage = '' } = isObject(answer) ? answer : {};
    throw new FlushWorkerError(
      `flush: the worker ${functionName} failed: ${String(errorType)}: ${String(errorMessage)}; what it had done is done, and running it again is harmless`,
    );
  };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

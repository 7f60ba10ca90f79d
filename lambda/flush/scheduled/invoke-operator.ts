import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { CutoverError } from '../../contract/errors.ts';
import { OPERATOR_TIMEOUT_SECONDS } from '../../contract/operator.ts';

/** The operator has failed: names what it says. */
export class OperatorError extends CutoverError {
  override readonly name = 'OperatorError';
  readonly code = 'CUTOVER_OPERATOR';
  /** The name of the error that it threw, and its message. */
  readonly errorType: string;
  readonly errorMessage: string;

  constructor(functionName: string, { errorType, errorMessage }: Failure) {
    super(
      `operator: the function ${functionName} failed: ${errorType}: ${errorMessage}; what it had done is done, and running it again is harmless`,
    );
    this.errorType = errorType;
    this.errorMessage = errorMessage;
  }
}

interface Failure {
  readonly errorType: string;
  readonly errorMessage: string;
}

/**
 * Has the operator do one turn, and answers its report. An abort ends the waiting and not the turn.
 * @throws OperatorError; on the way there, the errors of the AWS SDK.
 */
export type InvokeOperator = (event: object, signal?: AbortSignal) => Promise<Record<string, unknown>>;

const CONNECT_TIMEOUT_MS = 2000;
/** Of one turn, there and back: a turn that is asked for again after it is over, and never beside itself. */
const REQUEST_TIMEOUT_MS = (OPERATOR_TIMEOUT_SECONDS + 5) * 1000;

/** @param functionName the operator's name or ARN. */
export function operatorNamed(functionName: string): InvokeOperator {
  const client = new LambdaClient({
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
  });
  return async (event, signal) => {
    const { FunctionError, Payload } = await client.send(
      new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(event) }),
      signal && { abortSignal: signal },
    );
    const answer: unknown = JSON.parse(Payload?.transformToString() || 'null');
    if (FunctionError === undefined && isObject(answer)) return answer;
    const { errorType = FunctionError ?? 'no answer', errorMessage = '' } = isObject(answer) ? answer : {};
    throw new OperatorError(functionName, {
      errorType: String(errorType),
      errorMessage: String(errorMessage),
    });
  };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

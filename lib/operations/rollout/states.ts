import type { RolloutStateName } from '../../../lambda/contract/rollout.ts';

/** A state as the Amazon States Language has it. */
export type State = { readonly Type: string } & Readonly<Record<string, unknown>>;
/** A state machine in it. */
export interface Definition {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

export interface TaskOptions {
  readonly resource: string;
  readonly payload: Readonly<Record<string, unknown>>;
  /** Its deadline. */
  readonly seconds: number;
  readonly next: RolloutStateName;
  /** Where it goes when it fails for good. */
  readonly onFailure: RolloutStateName;
  /** Where its error is kept. Default: `$.failure`. */
  readonly failurePath?: string;
  /** Where a refusal goes, which changes nothing. */
  readonly refusal?: RolloutStateName;
  /** Where its answer is kept. Default: nowhere. */
  readonly resultPath?: string | null;
  /** Whether whatever fails is tried again for minutes, as on the way back. */
  readonly persistent?: boolean;
}

/** What passes by itself: throttling, and what AWS says of its own services. By the errors' names, as Lambda and the SDKs have them. */
export const TRANSIENT_ERRORS = [
  ...['Lambda.TooManyRequestsException', 'Lambda.ServiceException', 'Lambda.AWSLambdaException'],
  ...['Lambda.SdkClientException', 'Lambda.ClientExecutionTimeoutException'],
  ...['Throttling', 'ThrottlingException', 'ThrottledException', 'TooManyRequestsException'],
  ...[
    'PriorRequestNotComplete',
    'TooManyUpdates',
    'ServiceUnavailable',
    'InternalServerError',
    'TimeoutError',
  ],
  ...['SNS.ThrottledException', 'SNS.InternalErrorException'],
];

const PATIENT = { IntervalSeconds: 2, BackoffRate: 2, MaxDelaySeconds: 60, JitterStrategy: 'FULL' } as const;

function common(options: Omit<TaskOptions, 'resource' | 'payload'>): Readonly<Record<string, unknown>> {
  const { seconds, next, onFailure, failurePath = '$.failure', refusal, resultPath = null } = options;
  return {
    TimeoutSeconds: seconds,
    ResultPath: resultPath,
    Retry: [
      { ErrorEquals: TRANSIENT_ERRORS, ...PATIENT, MaxAttempts: 6 },
      ...(options.persistent ? [{ ErrorEquals: ['States.ALL'], ...PATIENT, MaxAttempts: 8 }] : []),
    ],
    Catch: [
      ...(refusal ? [{ ErrorEquals: ['RolloutRefusedError'], ResultPath: failurePath, Next: refusal }] : []),
      { ErrorEquals: ['States.ALL'], ResultPath: failurePath, Next: onFailure },
    ],
    Next: next,
  };
}

/** Has a function do something. */
export const task = (options: TaskOptions): State => ({
  ...{ Type: 'Task', Resource: options.resource, Parameters: options.payload },
  ...common(options),
});

export interface MessageOptions extends Omit<TaskOptions, 'resource' | 'payload'> {
  readonly topicArn: string;
  readonly subject: string;
  /** An intrinsic function that makes it. */
  readonly message: string;
}

/** Tells a topic. */
export const sdkTask = (options: MessageOptions): State => ({
  ...{ Type: 'Task', Resource: 'arn:aws:states:::sns:publish', Parameters: messageOf(options) },
  ...common(options),
});

/** Tells a topic, and waits until somebody sends the token back. */
export const approval = (options: MessageOptions): State => ({
  ...{ Type: 'Task', Resource: 'arn:aws:states:::sns:publish.waitForTaskToken' },
  Parameters: {
    ...messageOf(options),
    MessageAttributes: { token: { DataType: 'String', 'StringValue.$': '$$.Task.Token' } },
  },
  ...common(options),
});

const messageOf = ({ topicArn, subject, message }: MessageOptions) => ({
  ...{ TopicArn: topicArn, Subject: subject, 'Message.$': message },
});

/** Ends with the error that the paths name. */
export const fail = (ErrorPath: string, CausePath: string): State => ({ Type: 'Fail', ErrorPath, CausePath });

/** A choice by a text. */
export const is = (Variable: string, StringEquals: string, Next: string) => ({
  Variable,
  StringEquals,
  Next,
});

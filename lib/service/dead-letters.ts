import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { EventInvokeConfigOptions, Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { removalPolicy } from '../removal.ts';
import type { StageConfig } from '../stages.ts';

/** As long as SQS keeps a message. */
const RETENTION_DAYS = 14;

/**
 * Where an invocation ends that nobody waits for and that fails, with its event and the error: one queue a stage. Nothing reads it but
 * people.
 */
export class DeadLetters extends Construct {
  readonly queue: Queue;

  constructor(scope: Construct, id: string, { stage }: { readonly stage: StageConfig }) {
    super(scope, id);
    this.queue = new Queue(this, 'Queue', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(RETENTION_DAYS),
      removalPolicy: removalPolicy(stage, RemovalPolicy.RETAIN),
    });
    Validations.of(this.queue).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason: 'It is the dead-letter queue, by a destination of Lambda and of the scheduler.',
    });
  }

  /** @param options how often Lambda tries again before that, twice unless said. */
  keepFailuresOf(fn: LambdaFunction, options: Pick<EventInvokeConfigOptions, 'retryAttempts'> = {}): void {
    fn.configureAsyncInvoke({
      ...options,
      // Not the CDK's SqsDestination, which also lets the function look into the queue.
      onFailure: { bind: () => ({ destination: this.queue.queueArn }) },
    });
    fn.addToRolePolicy(
      new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [this.queue.queueArn] }),
    );
  }
}

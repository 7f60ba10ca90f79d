import { ConfigurationError } from '../../lambda/contract/errors.ts';
import { OperatorError, operatorNamed } from '../../lambda/flush/scheduled/invoke-operator.ts';
import type { OperatorCommand, OperatorEvent } from '../../lambda/operator/event.ts';
import type { OperatorReport } from '../../lambda/operator/operate.ts';
import { AwsError, asking } from './errors.ts';
import { readService } from './stacks.ts';

type EventOf<Command extends OperatorCommand> = Extract<OperatorEvent, { readonly command: Command }>;
type ReportOf<Command extends OperatorCommand> = Extract<OperatorReport, { readonly command: Command }>;

export interface TurnsOptions<Command extends OperatorCommand> {
  /** The operator's name or ARN. */
  readonly functionName: string;
  readonly event: EventOf<Command>;
  /** Of all turns together. The first one is always begun. */
  readonly limitSeconds: number;
  /** How long each may take. */
  readonly secondsATurn?: number;
  readonly signal?: AbortSignal;
  /** Told of all turns so far. */
  readonly onTurn?: (turns: readonly ReportOf<Command>[]) => void;
}

/** Short, so that somebody who looks on sees it move; the next one goes on where it has stopped. */
const SECONDS_A_TURN = 10;
/** Errors for which the command line has the same exit code as on a Redis of its own. */
const OF_USAGE = new Set(['ConfigurationError', 'FlushEventError']);

/** The name of a stage's operator. @throws AwsError. */
export async function operatorOf(stage: string): Promise<string> {
  return (await readService(stage)).operator;
}

/**
 * Has the operator do turns of a command until it is complete, its time is up, or a turn has seen no key.
 * @throws ConfigurationError and AwsError with what the operator says; AwsError on the way there.
 */
export async function takeTurns<Command extends OperatorCommand>(
  options: TurnsOptions<Command>,
): Promise<readonly ReportOf<Command>[]> {
  const { functionName, event, limitSeconds, secondsATurn = SECONDS_A_TURN, signal } = options;
  const invoke = operatorNamed(functionName);
  const endsAt = performance.now() + limitSeconds * 1000;
  const turns: ReportOf<Command>[] = [];
  for (;;) {
    const leftSeconds = Math.max(0, (endsAt - performance.now()) / 1000);
    const last = turns.at(-1);
    if (last && (last.complete || last.scanned === 0 || leftSeconds === 0)) return turns;
    const turn = {
      ...event,
      limitSeconds: Math.min(secondsATurn, leftSeconds),
      ...(last && { positions: [...last.positions] }),
    };
    turns.push(await askedFor(functionName, event, () => invoke(turn, signal)));
    options.onTurn?.(turns);
  }
}

async function askedFor<Command extends OperatorCommand>(
  functionName: string,
  { command }: EventOf<Command>,
  invoke: () => Promise<Record<string, unknown>>,
): Promise<ReportOf<Command>> {
  const answer = await asking(`lambda:InvokeFunction of ${functionName}`, invoke).catch((error) => {
    if (!(error instanceof OperatorError)) throw error;
    const { errorType, errorMessage, message } = error;
    // What the command says itself needs no more words.
    if (OF_USAGE.has(errorType)) throw new ConfigurationError(errorMessage, { cause: error });
    if (command !== 'census' && /NOPERM/.test(errorMessage)) {
      // The remedy for who has a Redis of their own, more rights, is none for this user.
      throw new AwsError(
        `${command}: the operator’s user of the Redis may delete the flushed families in the namespaces in use, and nothing else; for other keys, run this inside the VPC with a REDIS_URL whose user may; nothing was deleted`,
        { cause: error },
      );
    }
    throw new AwsError(errorType.startsWith('Flush') ? errorMessage : message, { cause: error });
  });
  if (answer['command'] === command) return answer as unknown as ReportOf<Command>;
  throw new AwsError(
    `operator: the function ${functionName} answers what is no report of ${command}; deploy the stage with this version`,
  );
}

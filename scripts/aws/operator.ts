import { ConfigurationError } from '../../lambda/contract/errors.ts';
import { OperatorError, operatorNamed } from '../../lambda/flush/scheduled/invoke-operator.ts';
import type { Answer } from '../../lambda/operator/answer.ts';
import type { OperatorCommand, OperatorEvent } from '../../lambda/operator/event.ts';
import type { TurnReport } from '../../lambda/operator/operate.ts';
import { AwsError, asking } from './errors.ts';
import { readService } from './stacks.ts';

type EventOf<Command extends OperatorCommand> = Extract<OperatorEvent, { readonly command: Command }>;
type ReportOf<Command extends OperatorCommand> = Extract<TurnReport | Answer, { readonly command: Command }>;

/** Those that go on where they have stopped. */
export type TurnCommand = TurnReport['command'];
type TurnOf<Command extends TurnCommand> = Extract<TurnReport, { readonly command: Command }>;

export interface TurnsOptions<Command extends TurnCommand> {
  /** The operator's name or ARN. */
  readonly functionName: string;
  readonly event: EventOf<Command>;
  /** Of all turns together. The first one is always begun. */
  readonly limitSeconds: number;
  /** How long each may take. */
  readonly secondsATurn?: number;
  readonly signal?: AbortSignal;
  /** Told of all turns so far. */
  readonly onTurn?: (turns: readonly TurnOf<Command>[]) => void;
}

/** Short, so that somebody who looks on sees it move; the next one goes on where it has stopped. */
const SECONDS_A_TURN = 10;
const DELETING: ReadonlySet<OperatorCommand> = new Set(['flush', 'cleanup']);
/** Errors for which the command line has the same exit code as on a Redis of its own. */
const OF_USAGE = new Set(['ConfigurationError', 'FlushEventError', 'InvalidKeyError']);

/** The name of a stage's operator. @throws AwsError. */
export async function operatorOf(stage: string): Promise<string> {
  return (await readService(stage)).operator;
}

/**
 * Has the operator do turns of a command until it is complete, its time is up, or a turn has seen no key.
 * @throws ConfigurationError and AwsError with what the operator says; AwsError on the way there.
 */
export async function takeTurns<Command extends TurnCommand>(
  options: TurnsOptions<Command>,
): Promise<readonly TurnOf<Command>[]> {
  const { functionName, event, limitSeconds, secondsATurn = SECONDS_A_TURN, signal } = options;
  const invoke = operatorNamed(functionName);
  const endsAt = performance.now() + limitSeconds * 1000;
  const turns: TurnOf<Command>[] = [];
  for (;;) {
    const leftSeconds = Math.max(0, (endsAt - performance.now()) / 1000);
    const last = turns.at(-1);
    if (last && (last.complete || last.scanned === 0 || leftSeconds === 0)) return turns;
    const turn = {
      ...event,
      limitSeconds: Math.min(secondsATurn, leftSeconds),
      ...(last && { positions: [...last.positions] }),
    };
    const report = await askedFor(functionName, event, () => invoke(turn, signal));
    turns.push(report as TurnOf<Command>);
    options.onTurn?.(turns);
  }
}

/** Has the operator answer a question. @throws as `takeTurns`. */
export async function askOperator<Command extends OperatorCommand>(
  functionName: string,
  event: EventOf<Command>,
): Promise<ReportOf<Command>> {
  const invoke = operatorNamed(functionName);
  return askedFor(functionName, event, () => invoke(event));
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
    if (DELETING.has(command) && /NOPERM/.test(errorMessage)) {
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

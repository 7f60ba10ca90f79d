import { type RunOptions, StateMachine } from 'aws-local-stepfunctions';
import type { MachineEvent } from '../../lambda/rollout/machine-event.ts';
import { eventOf, type InterpreterEvent } from './events.ts';

// Node 20 lacks it, and the interpreter needs nothing else of Node 22.
(Promise as { withResolvers?: unknown }).withResolvers ??= function withResolvers<T>() {
  const resolvers = {} as { resolve: (value: T) => void; reject: (reason: unknown) => void };
  const promise = new Promise<T>((resolve, reject) => Object.assign(resolvers, { resolve, reject }));
  return { promise, ...resolvers };
};

/** A definition in the Amazon States Language: the synthesized one, with its references resolved. */
export interface Definition {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, { readonly Type: string } & Readonly<Record<string, unknown>>>>;
}

export interface ExecutionOptions {
  readonly definition: Definition;
  /** Its ARN, and that of its machine, for the context object. */
  readonly execution: string;
  readonly machine: string;
  /** Does what a task's resource does with the payload: errors go by their names, as Lambda's do. */
  readonly invoke: (resource: string, payload: unknown, state: string) => Promise<unknown>;
  /** How long a Wait state waits, and a retry, by the state's name, in milliseconds; as the definition says where it is left out. */
  readonly waitMs?: (state: string) => number;
  readonly retryMs?: number;
  /** Kills the execution where it is. */
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: MachineEvent) => void;
}

export interface Execution {
  readonly status: 'SUCCEEDED' | 'FAILED' | 'ABORTED';
  /** Of a failed one, as its Fail state names them. */
  readonly error?: string;
  readonly cause?: string;
}

const SENT_WITH_TOKEN = 'waitForTaskToken';

/** Runs a definition on this machine, its tasks bound to `invoke`. @throws what the interpreter throws at a definition that is wrong. */
export async function execute(options: ExecutionOptions): Promise<Execution> {
  const { definition, execution, machine, invoke, waitMs, retryMs, signal, onEvent } = options;
  const statesOf = (type: string) =>
    Object.entries(definition.States).filter(([, state]) => state.Type === type);
  // The context object is one for the execution; a token names it and nothing else.
  const context = {
    ...{ Execution: { Id: execution, Input: {}, StartTime: new Date().toISOString() } },
    ...{ StateMachine: { Id: machine }, Task: { Token: `${execution}#${SENT_WITH_TOKEN}` } },
  };
  const overrides: RunOptions['overrides'] = {
    taskResourceLocalHandlers: Object.fromEntries(
      statesOf('Task').map(([name, state]) => [
        name,
        async (payload) => (await invoke(String(state['Resource']), payload, name)) as never,
      ]),
    ),
    ...(waitMs && {
      waitTimeOverrides: Object.fromEntries(statesOf('Wait').map(([name]) => [name, waitMs(name)])),
    }),
    ...(retryMs !== undefined && {
      retryIntervalOverrides: Object.fromEntries(statesOf('Task').map(([name]) => [name, retryMs])),
    }),
  };
  const running = new StateMachine(definition as never, { validationOptions: { checkArn: false } }).run(
    {},
    { overrides, context },
  );
  const abort = () => running.abort();
  signal?.addEventListener('abort', abort);
  if (signal?.aborted) abort();
  const told = follow(running.eventLogs, onEvent);
  try {
    await running.result;
    return { status: 'SUCCEEDED' };
  } catch (error) {
    if (signal?.aborted) return { status: 'ABORTED' };
    const { error: name, cause } = await told;
    return {
      status: 'FAILED',
      error: name ?? (error as Error).name,
      cause: cause ?? (error as Error).message,
    };
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

/** Hands the events on. @returns how the execution failed, if it did. */
async function follow(
  events: AsyncIterable<InterpreterEvent>,
  onEvent: ExecutionOptions['onEvent'],
): Promise<Pick<MachineEvent, 'error' | 'cause'>> {
  let failure: Pick<MachineEvent, 'error' | 'cause'> = {};
  for await (const told of events) {
    const event = eventOf(told);
    if (!event) continue;
    if (event.type === 'ExecutionFailed') failure = event;
    onEvent?.(event);
  }
  return failure;
}

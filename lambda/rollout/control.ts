import type { StopFlag } from './stop.ts';

/** What can be asked of the state machine. */
export interface Machine {
  /** The ARNs of its executions that run, the newest first. */
  running(): Promise<readonly string[]>;
  /** The token of the approval that an execution waits for; undefined where it waits for none. */
  approvalToken(execution: string): Promise<string | undefined>;
  approve(token: string, by: string): Promise<void>;
  /** Ends the waiting for an approval. */
  refuse(token: string, reason: string): Promise<void>;
}

/**
 * Asks every execution that runs to stop: it ends what is under way, and goes back. One that waits for an approval goes back at once.
 * @returns which were asked.
 */
export async function requestStop(
  { machine, flag }: { readonly machine: Machine; readonly flag: StopFlag },
  reason: string,
): Promise<readonly string[]> {
  const running = await machine.running();
  for (const execution of running) {
    await flag.write({ execution, reason });
    const token = await machine.approvalToken(execution);
    if (token !== undefined) await machine.refuse(token, reason);
  }
  return running;
}

import { NO_STOP } from '../contract/rollout.ts';
import { RolloutStoppedError } from './errors.ts';

/** A request to stop a rollout: of one execution, so that a later one does not stop by it. */
export interface StopRequest {
  readonly execution: string;
  readonly reason: string;
}

/** Where a request to stop stands. */
export interface StopFlag {
  read(): Promise<StopRequest | undefined>;
  write(request: StopRequest): Promise<void>;
}

/** What the flag's text says; what nobody of ours has written says nothing. */
export function parseStop(text: string | undefined): StopRequest | undefined {
  if (!text || text === NO_STOP) return undefined;
  try {
    const { execution, reason } = JSON.parse(text) as Partial<Record<keyof StopRequest, unknown>>;
    return typeof execution === 'string' ? { execution, reason: String(reason ?? '') } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Does a task of an execution, unless somebody has asked it to stop, before the task or while it ran: a request is then seen at the end
 * of what was under way. @throws RolloutStoppedError with the reason; what the task throws.
 */
export async function unlessStopped<T>(
  flag: Pick<StopFlag, 'read'>,
  execution: string,
  task: () => Promise<T>,
): Promise<T> {
  await requireGoing(flag, execution);
  const result = await task();
  await requireGoing(flag, execution);
  return result;
}

async function requireGoing(flag: Pick<StopFlag, 'read'>, execution: string): Promise<void> {
  const request = await flag.read();
  if (request?.execution === execution) throw new RolloutStoppedError(`rollout: stopped: ${request.reason}`);
}

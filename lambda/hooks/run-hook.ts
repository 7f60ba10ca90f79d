import { setTimeout as sleep } from 'node:timers/promises';
import { errorFields, type Logger } from '../telemetry/logger.ts';
import { HookError } from './error.ts';
import { parseLifecycleEvent } from './lifecycle-event.ts';
import { report, type Verdict } from './report.ts';

/** What Lambda tells a function of its invocation. */
export interface HookContext {
  /** In milliseconds. */
  getRemainingTimeInMillis(): number;
}

export interface HookOptions {
  readonly event: unknown;
  readonly context: HookContext;
  readonly logger: Logger;
  /** Rejects where the version must have no traffic. It may take as long as the signal is not aborted. */
  readonly prove: (signal: AbortSignal) => Promise<unknown>;
}

/** Of the time that is left; the rest is for the report. */
const PROOF_SHARE = 2 / 3;

/**
 * Proves a version, and tells CodeDeploy once how that went, whatever it was: a proof that throws or does not end has failed.
 * @throws HookError for an event that is none of CodeDeploy's; the errors of the AWS SDK where CodeDeploy cannot be told.
 */
export async function runHook({ event, context, logger, prove }: HookOptions): Promise<Verdict> {
  const told = parseLifecycleEvent(event);
  const verdict = await verdictOf(prove, { ms: context.getRemainingTimeInMillis() * PROOF_SHARE, logger });
  await report(told, verdict);
  logger.info('hook reported', { verdict, deploymentId: told.deploymentId });
  return verdict;
}

async function verdictOf(
  prove: HookOptions['prove'],
  { ms, logger }: { ms: number; logger: Logger },
): Promise<Verdict> {
  const ending = new AbortController();
  const proven = new AbortController();
  try {
    // Raced, since not everything that hangs listens to a signal.
    await Promise.race([prove(ending.signal), tooLate(ms, proven.signal)]);
    return 'Succeeded';
  } catch (error) {
    logger.error('the new version must have no traffic', errorFields(error));
    return 'Failed';
  } finally {
    ending.abort();
    proven.abort();
  }
}

async function tooLate(ms: number, signal: AbortSignal): Promise<never> {
  await sleep(ms, undefined, { signal });
  throw new HookError(`hooks: no proof within ${Math.round(ms)} ms; the warnings before say what was tried`);
}

import { setTimeout as sleep } from 'node:timers/promises';
import { errorFields, type Logger } from '../../telemetry/logger.ts';
import type { FlushEvent, RecoveryEvent } from '../event.ts';
import type { KeyspaceReads } from '../keyspace-reads.ts';
import type { Monitoring } from './cloudwatch.ts';
import { type Figures, figuresOf, recordedOf } from './figures.ts';
import { MINUTE_MS } from './minutes.ts';
import { judgeRecovery, RECOVERY, type Recovery } from './recovery.ts';
import { type FlushOnce, type Turns, takeTurns } from './turns.ts';

/** What a flush has done, and what its readers had of it. */
export interface ScheduledReport extends Omit<Turns, 'keyspace'>, Figures {
  /** Whether CloudWatch has taken the figures; the log says why not. */
  readonly recorded: boolean;
  /** ISO times; `began` is the `since` of a recovery check. */
  readonly began: string;
  readonly ended: string;
}

export interface ScheduledOptions {
  readonly event: FlushEvent;
  readonly flushOnce: FlushOnce;
  readonly monitoring: Monitoring;
  readonly logger: Logger;
  /** How long the function has left, in milliseconds. */
  readonly remainingMs: () => number;
}

/** For reading and recording at the end, each with the retries of the SDK. */
const RESERVE_MS = 30_000;
/** Until the first minutes after the flush are in CloudWatch. */
const SETTLE_MS = 2 * MINUTE_MS;
/** How far back "before" goes. */
const BEFORE_MS = 10 * MINUTE_MS;

/**
 * Flushes by turns of the operator, waits for the minutes after it, and records what it was like. Figures that cannot be read or
 * recorded are missing; they are no reason to flush again.
 * @throws what the operator throws.
 */
export async function flushAndRecord(options: ScheduledOptions): Promise<ScheduledReport> {
  const { event, flushOnce, monitoring, logger, remainingMs } = options;
  const began = Date.now();
  const leftForTurns = () => remainingMs() - SETTLE_MS - RESERVE_MS;
  const { keyspace, ...turns } = await takeTurns({ event, flushOnce, remainingMs: leftForTurns });
  const ended = Date.now();

  await sleep(Math.max(0, Math.min(SETTLE_MS, remainingMs() - RESERVE_MS)));
  const later = turns.complete ? await readsNow(flushOnce, turns) : undefined;
  const minutes = await monitoring.minutes({ from: began - BEFORE_MS, to: Date.now() }).catch((error) => {
    logger.warn('metrics not read', errorFields(error));
    return [];
  });
  const figures = figuresOf({
    minutes,
    span: { began, ended },
    keyspace: { ...keyspace, after: later ?? keyspace.after },
  });
  const recorded = await monitoring.record(recordedOf(turns, figures)).then(
    () => true,
    (error) => {
      logger.error('metrics not recorded', errorFields(error));
      return false;
    },
  );
  return {
    ...turns,
    ...figures,
    recorded,
    began: new Date(began).toISOString(),
    ended: new Date(ended).toISOString(),
  };
}

/** What Redis has counted by now: a turn from where all is seen does nothing else. */
async function readsNow(
  flushOnce: FlushOnce,
  { positions }: Pick<Turns, 'positions'>,
): Promise<KeyspaceReads | undefined> {
  const report = await flushOnce({ dryRun: true, positions: [...positions] }).catch(() => undefined);
  return report?.keyspace.after;
}

/** Answers whether the hit rate fell after a flush and came back. @throws the errors of the AWS SDK. */
export async function checkRecovery({ since }: RecoveryEvent, monitoring: Monitoring): Promise<Recovery> {
  const at = Date.parse(since);
  const span = { from: at - BEFORE_MS, to: at + RECOVERY.withinMinutes * MINUTE_MS };
  return judgeRecovery({ minutes: await monitoring.minutes(span), since: at, now: Date.now() });
}

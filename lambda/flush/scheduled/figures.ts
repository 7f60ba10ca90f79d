import { FLUSH_METRICS } from '../../contract/metrics.ts';
import type { KeyspaceReads } from '../keyspace-reads.ts';
import type { Recorded } from './cloudwatch.ts';
import { around, hitPercent, type Minute, meanLatencyMs, type Span } from './minutes.ts';
import type { Turns } from './turns.ts';

/** A number before and after a flush; undefined where nothing was seen. */
interface BeforeAndAfter {
  readonly before: number | undefined;
  readonly after: number | undefined;
}

/** What readers had of a flush. */
export interface Figures {
  /** Hits of the reads through the API's cache, in percent. */
  readonly cacheHitPercent: BeforeAndAfter;
  /** Hits of all that Redis was asked for, in percent: since it began, and since the flush began. */
  readonly keyspaceHitPercent: BeforeAndAfter;
  /** The mean, in milliseconds. */
  readonly databaseLatencyMs: BeforeAndAfter & { readonly during: number | undefined };
}

export interface FiguresOptions {
  readonly minutes: readonly Minute[];
  readonly span: Span;
  /** The counters of INFO stats when the flush began, and as late as possible. */
  readonly keyspace: {
    readonly before: KeyspaceReads | undefined;
    readonly after: KeyspaceReads | undefined;
  };
}

/** Pure. */
export function figuresOf({ minutes, span, keyspace }: FiguresOptions): Figures {
  const { before, during, after } = around(minutes, span);
  return {
    cacheHitPercent: { before: hitPercent(before), after: hitPercent(after) },
    keyspaceHitPercent: {
      before: keyspace.before && hitPercent([keyspace.before]),
      after: keyspace.before && keyspace.after && hitPercent([since(keyspace.before, keyspace.after)]),
    },
    databaseLatencyMs: {
      before: meanLatencyMs(before),
      during: meanLatencyMs(during),
      after: meanLatencyMs(after),
    },
  };
}

/** A server that was restarted counts from 0 again. */
function since(before: KeyspaceReads, after: KeyspaceReads): KeyspaceReads {
  const counted = { hits: after.hits - before.hits, misses: after.misses - before.misses };
  return counted.hits < 0 || counted.misses < 0 ? after : counted;
}

const missPercent = (hits: number | undefined) => (hits === undefined ? undefined : 100 - hits);

/** As CloudWatch takes them; without what was not seen. */
export function recordedOf(
  turns: Pick<Turns, 'dryRun' | 'flushed' | 'seconds'>,
  figures: Figures,
): Recorded[] {
  const { flushedKeys, keysToFlush, flushDuration } = FLUSH_METRICS;
  const recorded: Recorded[] = [
    { name: turns.dryRun ? keysToFlush : flushedKeys, unit: 'Count', value: turns.flushed },
    { name: flushDuration, unit: 'Seconds', value: turns.seconds },
  ];
  const add = (name: string, unit: Recorded['unit'], value: number | undefined) => {
    if (value !== undefined) recorded.push({ name, unit, value });
  };
  for (const when of ['before', 'after'] as const) {
    const [cache, keyspace] = [figures.cacheHitPercent[when], figures.keyspaceHitPercent[when]];
    add(FLUSH_METRICS.cacheHitRate[when], 'Percent', cache);
    add(FLUSH_METRICS.cacheMissRate[when], 'Percent', missPercent(cache));
    add(FLUSH_METRICS.keyspaceHitRate[when], 'Percent', keyspace);
    add(FLUSH_METRICS.keyspaceMissRate[when], 'Percent', missPercent(keyspace));
  }
  for (const when of ['before', 'during', 'after'] as const) {
    add(FLUSH_METRICS.databaseLatency[when], 'Milliseconds', figures.databaseLatencyMs[when]);
  }
  return recorded;
}

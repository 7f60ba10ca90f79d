import type { Keyspace } from '../cache/keyspace.ts';
import { sourcesOf } from '../contract/families.ts';
import { createClasses } from '../flush/census/classes.ts';
import { DEFAULT_MAX_LATENCY_MS } from '../flush/flush.ts';
import type { Page } from '../flush/pass/page.ts';
import type { Server, Target } from '../flush/pass/servers.ts';
import { type Pass, type Position, sweep } from '../flush/pass/sweep.ts';
import { requireSameEnvironment } from '../flush/prepare.ts';
import { type AuditCounts, createChecks, type StaleEntry } from './checks.ts';
import type { AuditSources } from './entry.ts';
import { createReservoir } from './reservoir.ts';

/** What was found of one family in one namespace. */
export interface AuditedClass extends Readonly<AuditCounts> {
  readonly family: string;
  readonly namespace: string;
}

export interface AuditReport {
  readonly audited: number;
  readonly stale: readonly StaleEntry[];
  /** Those of the registry that were there. */
  readonly classes: readonly AuditedClass[];
  /** Families with a source table of which nobody has said how they are read: their entries were not looked at. */
  readonly notAudited: readonly string[];
  /** Keys that the pass has seen, whatever they were, and how many there were when it began. */
  readonly scanned: number;
  readonly expected: number;
  readonly seconds: number;
  /** Whether every key was seen. */
  readonly complete: boolean;
  /** Where to go on when it is not complete. */
  readonly positions: readonly Position[];
  readonly restarts: number;
}

export type AuditProgress = Pick<AuditReport, 'scanned' | 'expected' | 'audited'>;

export interface AuditOptions extends Omit<AuditSources, 'keyspace'> {
  readonly target: Target;
  readonly keyspace: Keyspace;
  /** How many entries of each family in each namespace. Default: 20. */
  readonly sample?: number | 'all';
  /** For how long others may wait for Redis because of the audit (default 2). */
  readonly maxLatencyMs?: number;
  /** For the pass over the keys; what it has found is confirmed after that. */
  readonly limitSeconds?: number;
  /** Where an earlier audit has stopped. */
  readonly from?: readonly Position[];
  readonly signal?: AbortSignal;
  /** How often in a row a mismatch has to be found again (default 2), with so many milliseconds in between (default 1000). */
  readonly confirmations?: number;
  readonly pauseMs?: number;
  readonly onProgress?: (progress: AuditProgress) => void;
  readonly onRestart?: (why: Error) => void;
}

export const DEFAULT_SAMPLE = 20;
export const DEFAULT_AUDIT_LIMIT_SECONDS = 30;
/** Keys whose check is under way before the pass waits for them. */
const MAX_UNDER_WAY = 1000;

/**
 * Compares entries with the rows that they were loaded from, as the API would load them now, and changes nothing. A mismatch counts when
 * it is found again: between a commit and its invalidation each entry is older than its row, and nobody has been promised anything else.
 * @throws ConfigurationError for a Redis of another NODE_ENV; what `sweep`, Redis and the database throw.
 */
export async function audit(options: AuditOptions): Promise<AuditReport> {
  const { target, keyspace, keyReaders, sample = DEFAULT_SAMPLE, onProgress } = options;
  const { env, families } = keyspace;
  const beganAt = performance.now();
  const classes = createClasses(env, families);
  const sourced = new Set(families.filter((each) => sourcesOf(each).length > 0).map(({ name }) => name));
  const counts = classes.all.map(({ family = '', kind }) =>
    kind === 'cache' && sourced.has(family) && keyReaders[family] ? noCounts() : undefined,
  );
  const { confirmations = 2, pauseMs = 1000 } = options;
  const checks = createChecks({ ...options, confirmations, pauseMs });
  let scanned = 0;
  let expected = 0;
  const audited = () => counts.reduce((sum, each) => sum + (each?.audited ?? 0), 0);
  const samples = new Map<string, ReturnType<typeof createReservoir>[]>();

  const begin = ({ runId, keys }: Server): Pass => {
    expected += keys;
    const reservoirs = sample === 'all' ? [] : classes.all.map(() => createReservoir(sample));
    samples.set(runId, reservoirs);
    return {
      visit(page: Page) {
        scanned += page.count;
        page.forEachKey((start, end) => {
          const index = classes.classify(page.bytes, start, end);
          const counted = counts[index];
          if (!counted) return;
          const key = () => page.bytes.toString('utf8', start, end);
          if (sample === 'all') checks.begin(key(), counted);
          else reservoirs[index]?.add(key);
        });
        onProgress?.({ scanned, expected, audited: audited() });
        return sample === 'all' ? () => checks.atMost(MAX_UNDER_WAY) : undefined;
      },
      discard: () => void samples.delete(runId),
    };
  };

  const { complete, positions, restarts } = await sweep({
    ...{ target, name: 'audit', begin, signal: options.signal },
    maxLatencyMs: options.maxLatencyMs ?? DEFAULT_MAX_LATENCY_MS,
    limitSeconds: options.limitSeconds ?? DEFAULT_AUDIT_LIMIT_SECONDS,
    ...(options.from && { from: options.from }),
    ...(options.onRestart && { onRestart: options.onRestart }),
    prepare: (server) => requireSameEnvironment(server, env, 'audit'),
  });
  for (const reservoirs of samples.values()) {
    for (const [index, { keys }] of reservoirs.entries()) {
      const counted = counts[index];
      if (counted) for (const key of keys) checks.begin(key, counted);
      await checks.atMost(MAX_UNDER_WAY);
    }
  }
  await checks.atMost(0);
  return {
    ...{ audited: audited(), stale: checks.stale, scanned, expected, complete, positions, restarts },
    notAudited: [...sourced].filter((name) => !keyReaders[name]),
    classes: classes.all.flatMap(({ family = '', namespace }, index) => {
      const counted = counts[index];
      return counted && counted.audited > 0 ? [{ family, namespace, ...counted }] : [];
    }),
    seconds: Math.round(performance.now() - beganAt) / 1000,
  };
}

const noCounts = (): AuditCounts => ({ audited: 0, stale: 0, pending: 0, unsettled: 0 });

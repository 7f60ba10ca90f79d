import type { Target } from '../pass/servers.ts';
import type { Position } from '../pass/sweep.ts';
import { type TurnEvent, turnSeconds } from '../turn.ts';
import { type CensusReport, countKeys, type ServerCounts } from './census.ts';
import type { Classes } from './classes.ts';
import { type Counts, mergeCounts } from './counts.ts';
import { largestGroups } from './groups.ts';
import { figuresOf } from './report.ts';

/** What a turn of a census has counted, as JSON: the counts and not their figures, since turns add up. */
export interface CensusTurn extends Pick<Classes, 'namespaces'> {
  readonly classes: Classes['all'];
  readonly servers: readonly (Omit<ServerCounts, 'counts'> & { readonly counts: WireCounts })[];
  readonly scanned: number;
  readonly expected: number;
  readonly seconds: number;
  readonly complete: boolean;
  readonly positions: readonly Position[];
  readonly restarts: number;
}

/** `Counts` as JSON has them: keys in Base64, maps as their entries. */
interface WireCounts {
  readonly byClass: readonly {
    readonly keys: number;
    readonly bytes: number;
    readonly lasting: number;
    /** Null where nothing expires. */
    readonly shortestMs: number | null;
    readonly longestMs: number;
    readonly intervals: readonly (readonly [interval: number, count: number])[];
  }[];
  readonly largest: readonly { readonly key: string; readonly bytes: number }[];
  readonly groups: readonly (readonly [
    name: string,
    group: { readonly keys: number; readonly bytes: number; readonly samples: readonly string[] },
  ])[];
  readonly vanished: number;
}

export interface CensusTurnOptions {
  readonly target: Target;
  /** By convention `NODE_ENV`. */
  readonly env: string;
  readonly event: TurnEvent;
  /** How long the function has left, in milliseconds. */
  readonly remainingMs: () => number;
}

/** A function may answer 6 MB; of each turn these are far more than are shown in the end. */
const MAX_GROUPS = 200;

/** One turn of a census, which stops in time, and says in `positions` where the next one goes on. @throws what `census` throws. */
export async function censusInTurn(options: CensusTurnOptions): Promise<CensusTurn> {
  const { target, env, event, remainingMs } = options;
  const { maxLatencyMs, positions } = event;
  const { classes, servers, ...rest } = await countKeys({
    ...{ target, env },
    ...(maxLatencyMs !== undefined && { maxLatencyMs }),
    ...(positions && { from: positions }),
    limitSeconds: turnSeconds(event, remainingMs),
  });
  return {
    ...rest,
    ...{ classes: classes.all, namespaces: classes.namespaces },
    servers: servers.map((server) => ({ ...server, counts: toWire(server.counts) })),
  };
}

/** Adds up the turns of one census, in their order. */
export function sumOfTurns(turns: readonly CensusTurn[]): CensusReport {
  const last = turns.at(-1);
  if (!last) throw new Error('census: there is no turn to add up');
  const classes = { all: last.classes, namespaces: last.namespaces };
  const servers = new Map<string, { counts: Counts; scanned: number; expected: number }>();
  for (const turn of turns) {
    for (const { runId, counts, resumed, scanned, expected } of turn.servers) {
      const before = resumed ? servers.get(runId) : undefined;
      const merged = mergeCounts(classes, [...(before ? [before.counts] : []), fromWire(counts)]);
      servers.set(runId, {
        counts: merged,
        scanned: scanned + (before?.scanned ?? 0),
        expected: before?.expected ?? expected,
      });
    }
    // What was counted on a server that is gone, or on one that was begun again, is void.
    const present = new Set([...turn.positions, ...turn.servers].map(({ runId }) => runId));
    for (const runId of servers.keys()) if (!present.has(runId)) servers.delete(runId);
  }
  const all = [...servers.values()];
  const sum = (of: (each: (typeof all)[number]) => number) =>
    all.reduce((total, each) => total + of(each), 0);
  const merged = mergeCounts(
    classes,
    all.map(({ counts }) => counts),
  );
  return {
    ...figuresOf(classes, merged),
    scanned: sum(({ scanned }) => scanned),
    expected: sum(({ expected }) => expected),
    seconds: Math.round(turns.reduce((total, { seconds }) => total + seconds, 0) * 1000) / 1000,
    complete: last.complete,
    restarts: turns.reduce((total, { restarts }) => total + restarts, 0),
  };
}

function toWire({ byClass, largest, groups, vanished }: Counts): WireCounts {
  return {
    byClass: byClass.map(({ keys, bytes, ttls }) => ({
      ...{ keys, bytes, lasting: ttls.lasting, longestMs: ttls.longestMs },
      shortestMs: Number.isFinite(ttls.shortestMs) ? ttls.shortestMs : null,
      intervals: [...ttls.intervals],
    })),
    largest: largest.map(({ key, bytes }) => ({ key: key.toString('base64'), bytes })),
    groups: largestGroups(groups, MAX_GROUPS).map(([name, { keys, bytes, samples }]) => [
      name,
      { keys, bytes, samples: samples.map((key) => key.toString('base64')) },
    ]),
    vanished,
  };
}

function fromWire({ byClass, largest, groups, vanished }: WireCounts): Counts {
  const keyOf = (text: string) => Buffer.from(text, 'base64');
  return {
    byClass: byClass.map(({ keys, bytes, lasting, shortestMs, longestMs, intervals }) => ({
      ...{ keys, bytes },
      ttls: {
        ...{ lasting, longestMs, intervals: new Map(intervals) },
        shortestMs: shortestMs ?? Number.POSITIVE_INFINITY,
      },
    })),
    largest: largest.map(({ key, bytes }) => ({ key: keyOf(key), bytes })),
    groups: new Map(
      groups.map(([name, { keys, bytes, samples }]) => [name, { keys, bytes, samples: samples.map(keyOf) }]),
    ),
    vanished,
  };
}

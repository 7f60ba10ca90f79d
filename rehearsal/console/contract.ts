/** What the console's server tells its page, of a rehearsal or of a deployed stage alike; times in milliseconds since 1970. */

export const BACKENDS = ['legacy', 'serverless'] as const;
export type BackendName = (typeof BACKENDS)[number];

/** What a backend did in a span of time. */
export interface BackendSample {
  /** Null where nobody measures it. */
  readonly requests: number | null;
  readonly errors: number;
  readonly hits: number;
  readonly misses: number;
  /** Of reads answered from the cache; null where there was none, or nobody measures it. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  /** The namespace that it read and filled: `K` for un-prefixed keys, `v2:`, `cw:production:`; hit rates are by both. */
  readonly namespace: string;
}

/** A point of the charts. */
export interface Sample {
  readonly at: number;
  readonly spanMs: number;
  readonly backends: Readonly<Record<BackendName, BackendSample>>;
  /** Hits that only an un-prefixed key gave, in the phase `dual`. */
  readonly fallbacks: number;
}

/** Something to see in the charts, too. */
export interface Mark {
  readonly at: number;
  readonly kind: 'flush' | 'weight' | 'fault' | 'back' | 'pause' | 'phase';
  readonly text: string;
}

export interface StageView {
  /** `25 %`, or the name of a step from phase to phase. */
  readonly name: string;
  readonly status: 'passed' | 'failed' | 'current' | 'next';
  /** What speaks against going on; empty where nothing does. */
  readonly reasons: readonly string[];
}

/** A read that began after a write was acknowledged as invalidated, and returned an older value. */
export interface StaleRead {
  readonly at: number;
  /** The logical key. */
  readonly key: string;
  readonly readBy: BackendName;
  readonly writtenBy: BackendName;
  readonly versionRead: number;
  readonly versionWritten: number;
  /** How long before the read began the write was acknowledged. */
  readonly ageMs: number;
}

export interface AlarmView {
  readonly name: string;
  readonly state: 'ok' | 'alarm' | 'unknown';
  readonly reason: string;
}

export interface LogLine {
  readonly at: number;
  readonly level: 'info' | 'warning' | 'error';
  readonly text: string;
}

/** What somebody who looks may have done, each after a confirmation. A deployed stage is looked at only. */
export const ACTIONS = {
  pause: 'Pause',
  resume: 'Resume',
  flush: 'Flush now',
  'kill-redis': 'Kill Redis',
  'freeze-redis': 'Freeze Redis',
  'slow-redis': 'Slow Redis down',
  'mirror-off': 'Switch the mirror off',
  'roll-back': 'Roll back',
} as const;
export type ActionName = keyof typeof ACTIONS;

/** All but the samples; small, and sent whole whenever it has changed. */
export interface ConsoleState {
  readonly kind: 'rehearsal' | 'stage';
  /** `rehearsal v2, seed 7` or `stage production`. */
  readonly title: string;
  readonly at: number;
  readonly startedAt: number;
  /** When it ends if nothing holds it up; null where that is unknown. */
  readonly endsAt: number | null;
  readonly status: 'running' | 'paused' | 'passed' | 'failed' | 'idle';
  /** One line for a person: whether it is safe to go on, and why not. */
  readonly safety: { readonly level: 'safe' | 'wait' | 'unsafe'; readonly text: string };
  /** Null where they are not known. */
  readonly weights: Readonly<Record<BackendName, number>> | null;
  readonly stages: readonly StageView[];
  /** Of the state machine; null where none runs. */
  readonly machine: { readonly state: string; readonly since: number } | null;
  readonly totals: {
    readonly requests: number;
    readonly errors5xx: number;
    /** Null where nobody counts them. */
    readonly writes: number | null;
    readonly lostSessions: number | null;
    /** By the checker of a rehearsal, or the auditor of a stage. */
    readonly staleReads: number;
  };
  /** The last ones, newest first. */
  readonly stale: readonly StaleRead[];
  readonly alarms: readonly AlarmView[];
  readonly marks: readonly Mark[];
  /** Newest last. */
  readonly log: readonly LogLine[];
  /** Those that can be asked for now. */
  readonly actions: readonly ActionName[];
}

/** What a report holds instead of a connection. */
export interface Frozen {
  readonly state: ConsoleState;
  readonly samples: readonly Sample[];
}

/** Where the console's server has what it tells; a rehearsal, or a deployed stage. */
export interface ConsoleSource {
  state(): ConsoleState;
  /** All that is kept, oldest first; of a long run the oldest are merged, so that there is never much more than an hour of seconds. */
  samples(): readonly Sample[];
  /** Does what was asked for. @returns what a person should know of it. @throws an error for a person to read. */
  act?(action: ActionName): Promise<string>;
}

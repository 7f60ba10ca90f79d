/** Somebody who looks at the console, or no console at all. */
export const WATCHING = ['somebody', 'nobody'] as const;
export type Watching = (typeof WATCHING)[number];

/** Rehearsals that are watched, or not: medians of all rounds. */
export interface ConsoleRow {
  readonly watching: Watching;
  readonly cpuUsPerRequest: number;
  readonly requests: number;
  /** To that without a console: the median of the ratios in the same round. */
  readonly ratio: number;
}

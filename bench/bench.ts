import os from 'node:os';

/** What was measured, where and when: what `--json` writes. */
export interface Bench<Row> {
  readonly machine: string;
  readonly date: string;
  readonly rows: readonly Row[];
}

/** Something that is promised of what was measured. */
export interface Target {
  readonly name: string;
  readonly met: boolean;
  /** What was measured. */
  readonly measured: string;
}

/** Told how far the run is. */
export interface Progress {
  /** What happens now; the next step takes its place. */
  step(text: string): void;
  /** What has been measured, in a line that stays. */
  done(text: string): void;
}

/** The rows with this machine and today's date. */
export function stamped<Row>(rows: readonly Row[]): Bench<Row> {
  const machine = `${os.cpus().length} x ${os.cpus()[0]?.model}, Node ${process.versions.node}`;
  return { machine, date: new Date().toISOString().slice(0, 10), rows };
}

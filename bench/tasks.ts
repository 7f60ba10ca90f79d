import type { LateFillOutcome } from './late-fill.ts';
import type { OutageOutcome, Reading } from './outage.ts';
import type { Stampede } from './stampede.ts';
import type { Slot, SlotResult } from './throughput.ts';

/** What the process of a contender can be asked to do. */
export interface Tasks {
  /** Reads keys until they are stored. */
  warm(keys: readonly string[]): Promise<void>;
  throughput(slot: Slot): Promise<SlotResult>;
  /** @returns how often the value was loaded. */
  stampede(stampede: Stampede): Promise<number>;
  lateFill(): Promise<readonly LateFillOutcome[]>;
  readThroughOutage(reading: Reading): Promise<OutageOutcome>;
}

export type TaskName = keyof Tasks;
export type Argument<Name extends TaskName> = Parameters<Tasks[Name]>[0];
export type Result<Name extends TaskName> = Awaited<ReturnType<Tasks[Name]>>;

/** What is sent to the process, and what it answers. */
export interface Request {
  readonly id: number;
  readonly task: TaskName;
  readonly argument: unknown;
}

export type Reply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: string };

/** The environment of the process. */
export type WorkerEnvironment = Readonly<Record<'LIBRARY' | 'REDIS_URL' | 'DATABASE_URL', string>>;

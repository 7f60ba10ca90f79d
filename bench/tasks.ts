import type { LateFillOutcome } from './late-fill.ts';
import type { OutageOutcome, Reading } from './outage.ts';
import type { Stampede } from './stampede.ts';
import type { Slot, SlotResult } from './throughput.ts';
import type { Worker } from './workers.ts';

/** What the process of a cache library can be asked to do. */
export interface Tasks {
  /** Reads keys until they are stored. */
  warm(keys: readonly string[]): Promise<void>;
  throughput(slot: Slot): Promise<SlotResult>;
  /** @returns how often the value was loaded. */
  stampede(stampede: Stampede): Promise<number>;
  lateFill(): Promise<readonly LateFillOutcome[]>;
  readThroughOutage(reading: Reading): Promise<OutageOutcome>;
}

/** A cache library in a process of its own, by its name in the tables. */
export type LibraryWorker = Worker<Tasks>;

/** The environment of the process. */
export type WorkerEnvironment = Readonly<Record<'LIBRARY' | 'REDIS_URL' | 'DATABASE_URL', string>>;

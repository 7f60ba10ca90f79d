import fc, { type RunDetails, type Scheduler } from 'fast-check';
import type { Phase } from '../../../lambda/cache/phase.ts';
import type { Departure } from './departures.ts';
import { type Round, roundsArbitrary } from './drawing.ts';
import { createProcesses } from './processes.ts';
import { clearOutbox } from './rows.ts';
import type { Servers } from './servers.ts';
import { perform } from './steps.ts';
import { inTurns } from './time.ts';
import { createTurns } from './turns.ts';

/** Which phases may run at once, during a canary or a rollback. */
const PAIRS: readonly (readonly [Phase, Phase])[] = [
  ['legacy', 'legacy'],
  ['legacy', 'isolated'],
  ['isolated', 'isolated'],
  ['legacy', 'dual'],
  ['dual', 'dual'],
  ['dual', 'prefixed'],
  ['prefixed', 'prefixed'],
];

/** What fast-check draws: the order of turns, the phases, and the steps. */
export type Drawn = [scheduler: Scheduler, phases: readonly [Phase, Phase], rounds: Round[]];

export interface Schedules {
  readonly servers: Servers;
  readonly departure: Departure;
  readonly seed: number;
  /** How many to run; the search ends at the first that fails. */
  readonly schedules: number;
  /** The one of a seed to run, as fast-check names it. */
  readonly path?: string;
}

/** Runs schedules until one has a stale read, a lost row of the outbox, a request that never ends, or an error. */
export function check({ servers, departure, seed, schedules, path }: Schedules): Promise<RunDetails<Drawn>> {
  const property = fc.asyncProperty(
    fc.scheduler(),
    fc.constantFrom(...(departure.phases ?? PAIRS)),
    roundsArbitrary(departure),
    (...drawn) => runSchedule({ servers, departure }, drawn),
  );
  return fc.check<Drawn>(property, {
    seed,
    numRuns: schedules,
    endOnFailure: true,
    ...(path !== undefined && { path }),
  });
}

async function runSchedule(
  { servers, departure }: Pick<Schedules, 'servers' | 'departure'>,
  [scheduler, phases, rounds]: Drawn,
): Promise<void> {
  const turns = createTurns(scheduler);
  const processes = await createProcesses({ servers, departure, turns, phases });
  await inTurns(turns, async (time) => {
    const world = processes.worldIn(time);
    for (const { without, before, mishaps, race, after, pace } of rounds) {
      for (const place of without) await perform({ step: 'evict', place }, world);
      for (const step of before) {
        await perform(step, world);
        await turns.all();
      }
      for (const step of mishaps) await perform(step, world);
      processes.setPace(pace);
      for (const { start, giveWay } of race) {
        turns.takeAfter(giveWay, Object.values(start).join(' '), () => perform(start, world));
      }
      await turns.all();
      for (const step of after) {
        if (step.step === 'dispatch') await turns.all();
        await perform(step, world);
        if (step.step === 'dispatch') await turns.all();
      }
      await turns.all();
    }
  });
  const { left, entries } = await clearOutbox(servers.database, processes.user);
  await processes.verify();
  if (left < entries && !departure.losesRows) {
    throw new Error(`model: of ${entries} rows that were committed to the outbox ${left} are left`);
  }
}

import { type Apart, createFaults, type FaultEvent, type Faults } from '../faults.ts';
import type { PendingBound } from '../pending-bound.ts';
import type { Ground } from '../set-up.ts';

export interface RehearsedFaults {
  /** Undefined with a Redis that was there before. */
  readonly faults: Faults | undefined;
  readonly apart: Apart;
  /** Waits until no fault is in. @returns what Redis has refused, before it was killed, too. */
  refusals(): Promise<string[]>;
}

export interface RehearsedFaultsOptions {
  readonly ground: Pick<Ground, 'breakable' | 'refusals'>;
  readonly bound: PendingBound;
  readonly onEvent: (event: FaultEvent) => void;
}

/** The faults of a rehearsal, whose checkers forgive what the dispatcher cannot repeat meanwhile. */
export function rehearsedFaults({ ground, bound, onEvent }: RehearsedFaultsOptions): RehearsedFaults {
  const { breakable } = ground;
  /** Redis forgets them when it ends. */
  const refused: string[] = [];
  const faults =
    breakable &&
    createFaults({
      redis: {
        ...breakable,
        async kill() {
          refused.push(...(await ground.refusals()));
          await breakable.kill();
        },
      },
      onEvent(event) {
        if (event.kind === 'fault') bound.away();
        else bound.back();
        onEvent(event);
      },
    });
  return {
    faults,
    apart: faults?.apart ?? ((work) => work()),
    async refusals() {
      await faults?.over();
      return [...refused, ...(await ground.refusals())];
    },
  };
}

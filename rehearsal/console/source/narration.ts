import type { StageEvent } from '../../conductor.ts';
import type { FaultEvent, FaultName } from '../../faults.ts';
import type { PhaseEvent } from '../../phase-conductor.ts';
import type { Entry } from './journal.ts';

/** All that happens in a rehearsal, beside its requests. */
export type RehearsalEvent = StageEvent | PhaseEvent | FaultEvent;

/** What a fault does, and that it is over. */
export const FAULT_TEXTS: Readonly<Record<FaultName, { readonly begun: string; readonly over: string }>> = {
  'kill-redis': {
    begun: 'Redis is killed on purpose',
    over: 'Redis is there again, with a snapshot from before it was killed',
  },
  'freeze-redis': { begun: 'Redis is frozen on purpose', over: 'Redis answers again' },
  'slow-redis': { begun: 'Redis is slowed down on purpose', over: 'Redis is as fast as before' },
};

/** An event in words; undefined for those of the state machine, whose state is shown. */
export function narrationOf(event: RehearsalEvent): Entry | undefined {
  switch (event.kind) {
    case 'machine':
      return undefined;
    case 'stage':
      return { text: `stage ${event.weightPercent} % begins` };
    case 'flushed':
      return { mark: 'flush', text: `${flushText(event.report)}, before ${event.weightPercent} %` };
    case 'cleaned':
      return { mark: 'flush', text: flushText(event.report) };
    case 'weight':
      return {
        mark: 'weight',
        text: `the serverless backend's weight goes from ${event.from} % to ${event.to} %`,
      };
    case 'judged':
      return judgement(`${event.stage.weightPercent} %`, event.stage);
    case 'rolled back':
      return {
        ...{ mark: 'back', level: 'error' },
        text: `all traffic is back at the legacy backend; ${flushText(event.report)}`,
      };
    case 'told':
      return { text: event.subject };
    case 'step':
      return { text: `step ${event.step.name} begins` };
    case 'carried': {
      const { keys, to, again } = event.carried;
      return { text: `${keys} keys carried to ${to}, and again ${again}` };
    }
    case 'together':
      return { mark: 'phase', text: `${event.from} and ${event.to} at once` };
    case 'shifted':
      return { mark: 'phase', text: `${event.phase} everywhere` };
    case 'step judged':
      return judgement(`step ${event.step.step}`, event.step);
    case 'fault':
      return { mark: 'fault', level: 'warning', text: FAULT_TEXTS[event.name].begun };
    case 'fault over':
      return { mark: 'fault', text: FAULT_TEXTS[event.name].over };
  }
}

/** What a flush has done. */
export const flushText = ({
  flushed,
  preserved,
}: {
  readonly flushed: number;
  readonly preserved: number;
}): string => `${flushed} cache entries flushed, ${preserved} keys preserved`;

function judgement(
  what: string,
  { gate, reasons }: { readonly gate: 'pass' | 'fail'; readonly reasons: readonly string[] },
): Entry {
  if (gate === 'pass') return { text: `${what} has passed` };
  return { level: 'error', text: `${what} has failed: ${reasons.join(', ')}` };
}

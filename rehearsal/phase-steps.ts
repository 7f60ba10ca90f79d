import type { Phase } from '../lambda/contract/environment.ts';
import { NEIGHBOURS } from '../lambda/contract/namespaces.ts';
import type { BackfillTarget } from '../lambda/stores/backfill/plan.ts';

/** A step of docs/operations/key-migration.md. */
export interface PhaseStep {
  readonly name: string;
  /** In which both backends are at its end. */
  readonly phase: Phase;
  /** Carried before the phase changes. */
  readonly carries?: BackfillTarget;
  /** Flushed when the phase has changed: everything that is cached, or what is cached in the namespace that nobody reads any more. */
  readonly flushes?: 'all' | 'new home';
  /** Whether the next step takes the un-prefixed keys away from those who read them. */
  readonly isLastLook?: boolean;
}

const LEGACY: PhaseStep = { name: 'legacy', phase: 'legacy', flushes: 'all' };
const TO_DUAL: PhaseStep = { name: 'dual', phase: 'dual' };
const BACKFILL: PhaseStep = { name: 'backfill', phase: 'dual', carries: 'prefixed', isLastLook: true };
const TO_PREFIXED: PhaseStep = { name: 'prefixed', phase: 'prefixed' };
const BACK_TO_DUAL: PhaseStep = { name: 'back to dual', phase: 'dual' };
const BACK_TO_LEGACY: PhaseStep = {
  ...{ name: 'back to legacy', phase: 'legacy' },
  ...{ carries: 'legacy', flushes: 'new home' },
};

/** The way there. */
export const STEPS_FORWARD: readonly PhaseStep[] = [LEGACY, TO_DUAL, BACKFILL, TO_PREFIXED];
const STEPS_BACK: readonly PhaseStep[] = [BACK_TO_DUAL, BACK_TO_LEGACY];

/** How many steps a whole migration has, with the way back. */
export const STEP_COUNT = STEPS_FORWARD.length + STEPS_BACK.length;

/** The way back to `legacy`, from wherever it went wrong, or from its end. */
export function stepsBackFrom(phase: Phase): readonly PhaseStep[] {
  if (phase === 'legacy') return [];
  const first = STEPS_BACK.findIndex((step) => NEIGHBOURS[phase].includes(step.phase));
  return STEPS_BACK.slice(first);
}

import { PHASE_SWITCHES, type Phase } from '../../contract/environment.ts';
import { ConfigurationError } from '../../contract/errors.ts';
import { FAMILIES, type Family } from '../../contract/families.ts';
import { prefixIn } from '../../contract/namespaces.ts';
import { beginsWith } from '../../flush/begins-with.ts';

/** Which home is given what the other has. */
export const BACKFILL_TARGETS = ['prefixed', 'legacy'] as const;
export type BackfillTarget = (typeof BACKFILL_TARGETS)[number];

/** What becomes of a key that is in both homes; `absent`: both stay. */
export type Joining = 'absent' | NonNullable<Family['joins']>;

export interface CarriedFamily {
  readonly name: string;
  readonly joining: Joining;
}

/** Which keys are carried, and where to; pure. */
export interface BackfillPlan {
  readonly to: BackfillTarget;
  readonly env: string;
  readonly families: readonly CarriedFamily[];
  /** Families of state that stay where they are, and why. */
  readonly left: readonly { readonly name: string; readonly why: string }[];
  /** The family of the key in these bytes, by its number in `families`; -1 for a key that is not carried. */
  classify(bytes: Uint8Array, start: number, end: number): number;
  /** Where a carried key goes. */
  destinationOf(key: Buffer): Buffer;
}

export interface BackfillPlanOptions {
  readonly to: BackfillTarget;
  /** Of every family that has none of its own. */
  readonly phase: Phase;
  /** The name in `cw:{env}:`, by convention `NODE_ENV`. */
  readonly env: string;
  /** Default: the registry's. Those of `familiesIn`, where families have switches of their own. */
  readonly families?: readonly Family[];
}

/**
 * The plan that carries the families of state from one home to the other. In the phase `dual` alone: before it, what is carried would
 * be outdated by whoever writes one home only, and after it what was ended could come back.
 * @throws ConfigurationError in another phase, naming switches and remedy.
 */
export function planBackfill({ to, phase, env, families = FAMILIES }: BackfillPlanOptions): BackfillPlan {
  const states = families.filter(({ kind }) => kind === 'state');
  const isCarried = (family: Family) => !family.phaseSwitch && (family.phase ?? phase) === 'dual';
  const carried = states.filter(isCarried);
  if (carried.length === 0) {
    throw new ConfigurationError(
      `backfill: --to ${to} is refused in the phase ${phase}, in which not everybody writes both homes; deploy ${switchesOf('dual')} to every process first, and run this in the environment that is deployed`,
    );
  }
  const prefix = Buffer.from(prefixIn('prefixed', { kind: 'state' }, env));
  const from = to === 'prefixed' ? Buffer.alloc(0) : prefix;
  const beginnings = carried.map(({ name }) => Buffer.concat([from, Buffer.from(`${name}:`)]));
  return {
    ...{ to, env },
    families: carried.map(({ name, joins }): CarriedFamily => ({ name, joining: joins ?? 'absent' })),
    left: states
      .filter((family) => !isCarried(family))
      .map(({ name, phaseSwitch }) => ({
        name,
        why: phaseSwitch
          ? `its points count in both homes, whatever ${phaseSwitch} says`
          : 'it has a phase of its own in lambda/contract/families.ts',
      })),
    classify: (bytes, start, end) =>
      beginnings.findIndex((beginning) => beginsWith(bytes, start, beginning, end)),
    destinationOf: (key) => (to === 'prefixed' ? Buffer.concat([prefix, key]) : key.subarray(prefix.length)),
  };
}

const switchesOf = (phase: Phase): string =>
  Object.entries(PHASE_SWITCHES[phase])
    .filter(([, value]) => value === '1' || value === 'true')
    .map((each) => each.join('='))
    .join(' ');

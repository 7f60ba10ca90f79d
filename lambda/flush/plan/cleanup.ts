import { PHASE_SWITCHES, type Phase } from '../../contract/environment.ts';
import { ConfigurationError } from '../../contract/errors.ts';
import { FAMILIES, type Family, patternOf } from '../../contract/families.ts';
import { type FlushPlan, planFlush } from './plan.ts';

/** What a migration leaves behind: un-prefixed keys, those of a namespace, or those of an earlier migration. */
export const CLEANUP_TARGETS = ['legacy', 'v2', 'cw', 'v1'] as const;
export type CleanupTarget = (typeof CLEANUP_TARGETS)[number];

export interface CleanupOptions {
  readonly target: CleanupTarget;
  /** Of every family that has none of its own. */
  readonly phase: Phase;
  /** The name in `cw:{env}:`, by convention `NODE_ENV`. */
  readonly env: string;
  /** Default: the registry's. Those of `familiesIn`, where families have switches of their own. */
  readonly families?: readonly Family[];
  /** Whether the legacy backend is stopped, which nobody can see from here. */
  readonly legacyStopped?: boolean;
}

export interface Cleanup {
  readonly plan: FlushPlan;
  /** Cache families whose own phase still reads there: their keys stay. */
  readonly inUse: readonly string[];
}

interface Rule {
  /** What the keys are, for a message. */
  readonly keys: string;
  /** The phases that read there. */
  readonly readIn: readonly Phase[];
  readonly remedy: string;
}

const RULES: Readonly<Record<Exclude<CleanupTarget, 'v1'>, Rule>> = {
  legacy: {
    keys: 'un-prefixed keys',
    readIn: ['legacy', 'dual'],
    remedy: 'deploy MIGRATION_MODE=true, or CW_CACHE_PREFIX_ENABLED=1 without CW_CACHE_DUAL_WRITE, first',
  },
  v2: { keys: 'v2: keys', readIn: ['isolated'], remedy: 'deploy MIGRATION_MODE=false first' },
  cw: {
    keys: 'cw: keys',
    readIn: ['dual', 'prefixed'],
    remedy: 'deploy CW_CACHE_PREFIX_ENABLED=0 and CW_CACHE_DUAL_WRITE=0 first',
  },
};

const V1 = 'v1:';

/**
 * The plan that deletes what a migration leaves behind: of the cache families, whatever a flush does with them, and only where
 * their phase reads no more. State is never part of it.
 * @throws ConfigurationError where every family is still read, or the legacy backend may be; it names switch and remedy.
 */
export function planCleanup(options: CleanupOptions): Cleanup {
  const { target, phase, env, families = FAMILIES, legacyStopped = false } = options;
  if (target === 'v1') return { plan: planOfV1(env, families), inUse: [] };
  const rule = RULES[target];
  const phaseOf = (family: Family) => family.phase ?? phase;
  const cached = families.filter(({ kind }) => kind === 'cache');
  const read = cached.filter((family) => rule.readIn.includes(phaseOf(family)));
  if (read.length > 0 && read.length === cached.length) {
    throw new ConfigurationError(
      `cleanup: ${target} is refused, since the ${rule.keys} are still read: ${readersOf(read, phase)}; ${rule.remedy}, and run this in the environment that is deployed`,
    );
  }
  if (target === 'legacy' && !legacyStopped) {
    throw new ConfigurationError(
      'cleanup: legacy is refused without --legacy-stopped, since nobody can see from here whether Express still reads its keys; stop it, then add the option',
    );
  }
  const isDue = (family: Family) => cached.includes(family) && !read.includes(family);
  return {
    plan: planFlush({
      env,
      families: families.map((family) => ({ ...family, onFlush: isDue(family) ? 'flush' : 'preserve' })),
      onlyNamespace: { legacy: '', v2: 'v2:', cw: `cw:${env}:` }[target],
    }),
    inUse: read.map(({ name }) => name),
  };
}

/** `v1:mocs:1` is in no namespace in use, so that it is nobody's now, whatever the phase. */
function planOfV1(env: string, families: readonly Family[]): FlushPlan {
  if (families.some(({ name }) => `${name}:` === V1)) {
    throw new ConfigurationError(
      'cleanup: v1 is refused, since lambda/contract/families.ts has a family v1, whose keys are no remains; cutover flush deletes those of cache families',
    );
  }
  const states = families.filter(({ kind }) => kind === 'state');
  return planFlush({
    ...{ env, families, patterns: [`${V1}*`], onlyNamespace: '' },
    preserve: states.map((family) => V1 + patternOf(family)),
  });
}

/** `mocs, albums in the phase isolated (MIGRATION_MODE=true)`. */
function readersOf(families: readonly Family[], phase: Phase): string {
  const names = new Map<string, string[]>();
  for (const family of families) {
    const why = family.phase
      ? `in the phase ${family.phase} (${ownPhaseOf(family)})`
      : `in the phase ${phase} (${switchesOf(phase)})`;
    names.set(why, [...(names.get(why) ?? []), family.name]);
  }
  return Array.from(names, ([why, readers]) => `${readers.join(', ')} ${why}`).join('; ');
}

const ownPhaseOf = ({ phase, phaseSwitch }: Family): string =>
  phaseSwitch ? `${phaseSwitch}=${phase === 'legacy' ? 0 : 1}` : 'their own in lambda/contract/families.ts';

function switchesOf(phase: Phase): string {
  const on = Object.entries(PHASE_SWITCHES[phase]).filter(([, value]) => value === 'true' || value === '1');
  return on.map((each) => each.join('=')).join(' ') || 'MIGRATION_MODE and CW_CACHE_PREFIX_ENABLED are off';
}

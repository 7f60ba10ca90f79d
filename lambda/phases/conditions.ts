import type { Instance } from '../cache/presence.ts';
import type { Phase } from '../contract/environment.ts';
import { type CheckReport, type Finding, fail, notRun, pass, warn } from '../doctor/examination.ts';
import { areBeside, namesOf } from '../doctor/instances.ts';
import type { KeySurvey, Twins } from './survey.ts';

/** A writer that changes rows without an invalidation, as the coverage has it. */
export interface Uncovered {
  readonly table: string;
  readonly writer: string;
  readonly writes: number;
  /** As ISO 8601 has it. */
  readonly lastAt: string;
}

/** What is known when a step is judged; each part may be unknown, and then says why. */
export interface Facts {
  readonly now: number;
  readonly env: string;
  readonly instances: readonly Instance[] | Unknown;
  /** Those of the last day; undefined `dispatched` where nothing was judged yet. */
  readonly coverage: Coverage | Unknown;
  readonly survey: KeySurvey | Unknown;
  /** Since when no legacy key has answered a read, in milliseconds since 1970; null where nobody has looked. */
  readonly quietSince: number | null | Unknown;
}

/** How many writes were judged, and whose were not invalidated. */
export interface Coverage {
  readonly writes: number;
  readonly uncovered: readonly Uncovered[];
}

/** Why something is not known. */
export interface Unknown {
  readonly unknown: string;
}

const isUnknown = (value: unknown): value is Unknown =>
  typeof value === 'object' && value !== null && 'unknown' in value;

/** A finding from what is known. */
function given<T>(value: T | Unknown, judge: (value: T) => Finding): Finding {
  return isUnknown(value) ? notRun(value.unknown) : judge(value);
}

/** A step from one phase to a neighbour, and whether it is safe now. */
export interface StepReport {
  readonly from: Phase;
  readonly to: Phase;
  readonly direction: 'next' | 'back';
  readonly safe: boolean;
  readonly conditions: readonly CheckReport[];
  /** When it becomes so if nothing changes, as ISO 8601 has it; undefined where nobody can tell, or it is safe. */
  readonly safeAt?: string;
}

/** `isolated` and `dual` are both one step from `legacy`. */
const ORDER: Readonly<Record<Phase, number>> = { legacy: 0, isolated: 1, dual: 1, prefixed: 2 };

/** Whether a step is safe, condition by condition; pure. */
export function judgeStep(from: Phase, to: Phase, facts: Facts): StepReport {
  const conditions: CheckReport[] = [{ check: 'instances', ...instancesFor(to, facts) }];
  const add = (check: string, finding: Finding) => void conditions.push({ check, ...finding });
  let safeAt: string | undefined;
  if (from === 'legacy') {
    add('mirror', given(facts.instances, mirrorOf));
    add('coverage', given(facts.coverage, coverageOf));
  }
  if (from === 'dual' && to === 'prefixed') {
    const quiet = quietOf(facts);
    safeAt = quiet.safeAt;
    add('legacy fallbacks', quiet.finding);
    add(
      'state carried',
      given(facts.survey, ({ lackingPrefixed }) => carriedOf(lackingPrefixed, 'prefixed')),
    );
  }
  if (from === 'dual' && to === 'legacy') {
    add(
      'state carried',
      given(facts.survey, ({ lackingLegacy }) => carriedOf(lackingLegacy, 'legacy')),
    );
  }
  const open = conditions.filter(({ outcome }) => outcome !== 'pass' && outcome !== 'warn');
  const waitsOnly = safeAt !== undefined && open.every(({ check }) => check === 'legacy fallbacks');
  return {
    ...{ from, to, conditions, safe: open.length === 0 },
    direction: ORDER[to] > ORDER[from] ? 'next' : 'back',
    ...(open.length > 0 && waitsOnly && { safeAt }),
  };
}

function instancesFor(to: Phase, { instances, env }: Facts): Finding {
  return given(instances, (all) => {
    if (all.length === 0) {
      return fail(
        'nobody has used this Redis in the last 2 minutes, so that nobody can be asked',
        'send it traffic, or deploy this version everywhere',
      );
    }
    const strangers = all.filter((each) => each.env !== env);
    if (strangers.length > 0)
      return fail(
        `${namesOf(strangers)} run under another NODE_ENV than ${env}`,
        'give all of them the same',
      );
    const apart = all.filter(({ phase }) => phase !== null && !areBeside(phase, to));
    if (apart.length > 0) {
      const phases = [...new Set(apart.map(({ phase }) => phase))].join(', ');
      return fail(
        `${namesOf(apart)} run in ${phases}, which may not run beside ${to}`,
        `take them a step nearer to ${to} first, or stop them`,
      );
    }
    return pass(`${namesOf(all)} may run beside ${to}`);
  });
}

function mirrorOf(instances: readonly Instance[]): Finding {
  const mirrors = instances.filter(({ mirror }) => mirror);
  if (mirrors.length > 0) return pass(`on in ${namesOf(mirrors)}`);
  return fail(
    'no instance with the mirror was seen in the last 2 minutes',
    'wrap the Redis client of the legacy backend: mirror(client, { env })',
  );
}

function coverageOf({ writes, uncovered }: Coverage): Finding {
  if (uncovered.length > 0) {
    const shown = uncovered.map(
      ({ writer, table, writes: count, lastAt }) =>
        `${writer} changes ${table} (${count} writes, the last ${lastAt})`,
    );
    return fail(
      `not invalidated: ${shown.join('; ')}`,
      'run the mirror there, or have it write through the outbox; a day without it is enough',
    );
  }
  if (writes === 0)
    return warn(
      'no write that a trigger has reported was judged in the last day',
      'let the legacy backend write, and ask again',
    );
  return pass(`no row was changed without an invalidation in the last day, of ${writes} judged writes`);
}

function quietOf({ survey, quietSince, now }: Facts): { finding: Finding; safeAt?: string } {
  if (isUnknown(survey)) return { finding: notRun(survey.unknown) };
  if (isUnknown(quietSince)) return { finding: notRun(quietSince.unknown) };
  if (quietSince === null) {
    return {
      finding: fail(
        'no process in dual has looked for them yet',
        'deploy dual with this version, and ask again',
      ),
    };
  }
  const { longestTtlMs, legacyKeys, sampled, lasting } = survey;
  const quietMs = Math.max(0, now - quietSince);
  const shown = `none for ${duration(quietMs)}; the longest of ${sampled} of ${legacyKeys} un-prefixed keys lives for ${duration(longestTtlMs)} more${lasting > 0 ? `, and ${lasting} never expire` : ''}`;
  if (quietMs >= longestTtlMs) return { finding: pass(shown) };
  return {
    finding: fail(shown, 'wait: nothing else is to be done, unless reads fall back again'),
    safeAt: new Date(quietSince + longestTtlMs).toISOString(),
  };
}

function carriedOf({ sampled, lacking, families }: Twins, to: 'prefixed' | 'legacy'): Finding {
  if (sampled === 0) return pass('there is no key of state to carry');
  if (lacking === 0) return pass(`each of ${sampled} sampled keys of state is in the other home, too`);
  return fail(
    `${lacking} of ${sampled} sampled keys of state are not in the other home (${families.join(', ')}): a step would log people out`,
    `cutover backfill --to ${to}`,
  );
}

const duration = (ms: number): string => {
  const seconds = Math.round(ms / 1000);
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 6) / 10} min`;
};

import { createKeyspace, type Keyspace } from '../cache/keyspace.ts';
import { FAMILIES, type Family, patternOf } from '../contract/families.ts';
import { globToRegExp } from './glob.ts';

/** What a flush does with a key. */
export type Decision = 'flush' | 'preserve' | 'leave';

/** Which keys go and which stay; pure. */
export interface FlushPlan {
  readonly env: string;
  /** Patterns of logical keys, as Redis reads them. */
  readonly flush: readonly string[];
  readonly preserve: readonly string[];
  /** Decides about a physical key by its logical one: a preserved key stays, whatever else matches it. */
  decide(physical: string): Decision;
}

export interface PlanOptions {
  /** The name in `cw:{env}:`, by convention `NODE_ENV`. */
  readonly env: string;
  /** Only the keys in this namespace, `v2:`, for a way back that leaves the legacy backend its cache. */
  readonly onlyNamespace?: string;
  /** Default: the registry's. */
  readonly families?: readonly Family[];
}

/** The plan of the registry: its families, in every namespace and without one. */
export function planFlush({ env, onlyNamespace = '', families = FAMILIES }: PlanOptions): FlushPlan {
  const keyspace: Keyspace = createKeyspace({ phase: 'legacy', env, families });
  const patterns = (wanted: 'flush' | 'preserve') =>
    keyspace.families.filter(({ onFlush }) => onFlush === wanted).map(patternOf);
  const [flush, preserve] = [patterns('flush'), patterns('preserve')];
  const anyOf = (globs: readonly string[]) => {
    const expressions = globs.map(globToRegExp);
    return (key: string) => expressions.some((expression) => expression.test(key));
  };
  const [flushes, preserves] = [anyOf(flush), anyOf(preserve)];
  return {
    env,
    flush,
    preserve,
    decide(physical) {
      const logical = keyspace.logicalOf(physical);
      if (preserves(logical)) return 'preserve';
      return flushes(logical) && physical.startsWith(onlyNamespace) ? 'flush' : 'leave';
    },
  };
}

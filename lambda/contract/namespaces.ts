import type { Phase } from './environment.ts';
import type { Family } from './families.ts';

const NAMESPACE_OF: Readonly<Record<Phase, (env: string) => string>> = {
  legacy: () => '',
  isolated: () => 'v2:',
  dual: (env) => `cw:${env}:`,
  prefixed: (env) => `cw:${env}:`,
};

/** All namespaces that are in use, whatever the phase: an invalidation names them all. */
export const namespacesIn = (env: string): readonly string[] => [
  NAMESPACE_OF.isolated(env),
  NAMESPACE_OF.prefixed(env),
];

/**
 * What is put before the keys of a family that a phase reads and fills. State is never isolated: a user who crosses backends
 * would be logged out, a quota would double.
 */
export function prefixIn(phase: Phase, { kind }: Pick<Family, 'kind'>, env: string): string {
  return kind === 'state' && phase === 'isolated' ? '' : NAMESPACE_OF[phase](env);
}

/** The phases that one step of a migration leads to, forward or back. */
export const NEIGHBOURS: Readonly<Record<Phase, readonly Phase[]>> = {
  legacy: ['isolated', 'dual'],
  isolated: ['legacy'],
  dual: ['legacy', 'prefixed'],
  prefixed: ['dual'],
};

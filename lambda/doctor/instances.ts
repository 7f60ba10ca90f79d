import type { Instance } from '../cache/presence.ts';
import type { Phase } from '../contract/environment.ts';
import { NEIGHBOURS } from '../contract/namespaces.ts';
import { type Finding, fail, pass, warn } from './examination.ts';

/** Whether all of them run under one name, and in phases that may run beside each other. */
export function judgeInstances(instances: readonly Instance[], env: string): Finding {
  if (instances.length === 0) {
    return warn(
      'nobody has used this Redis in the last 2 minutes',
      'send it traffic, or look whether the services run',
    );
  }
  const strangers = instances.filter((each) => each.env !== env);
  if (strangers.length > 0) {
    return fail(
      `${namesOf(strangers)} run under ${[...new Set(strangers.map((each) => each.env))].join(', ')}, and NODE_ENV is ${env}`,
      'give every process on this Redis the same NODE_ENV, the mirror its env',
    );
  }
  const phases = phasesOf(instances);
  const apart = phases.flatMap((one) =>
    phases.filter((other) => other > one && !areBeside(one, other)).map((other) => [one, other]),
  );
  const shown = phases
    .map((phase) => `${namesOf(instances.filter((each) => each.phase === phase))} in ${phase}`)
    .join('; ');
  if (apart.length === 0) return pass(shown || namesOf(instances));
  const [pair = []] = apart;
  return fail(
    `${shown}: ${pair.join(' and ')} are more than one step apart`,
    `bring all to one step: ${phases.map((phase) => `${phase} goes with ${NEIGHBOURS[phase].join(', ')}`).join('; ')}`,
  );
}

/** The phases that run now, in the order of their names. */
export const phasesOf = (instances: readonly Instance[]): Phase[] =>
  [...new Set(instances.flatMap(({ phase }) => phase ?? []))].sort();

/** Whether two phases may run at once. */
export const areBeside = (one: Phase, other: Phase): boolean =>
  one === other || NEIGHBOURS[one].includes(other);

/** `2 cutover-api, 1 legacy (mirror)`. */
export function namesOf(instances: readonly Instance[]): string {
  const counts = new Map<string, number>();
  for (const { service, mirror } of instances) {
    const name = mirror ? `${service} (mirror)` : service;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return Array.from(counts, ([name, count]) => `${count} ${name}`).join(', ');
}

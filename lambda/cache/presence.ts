import { randomUUID } from 'node:crypto';
import type { Phase } from '../contract/environment.ts';
import type { Send } from './redis-store.ts';

/** Who uses a Redis: one process of a service. */
export interface Instance {
  readonly service: string;
  /** Where it reads and fills; null for one that does neither. */
  readonly phase: Phase | null;
  readonly env: string;
  /** Whether it is a legacy backend's client, behind the mirror. */
  readonly mirror: boolean;
  /** When the process began, as ISO 8601 has it. */
  readonly startedAt: string;
}

export const INSTANCE_PREFIX = 'cutover:instance:';
/** So long after its last use a process is taken for gone. */
export const INSTANCE_TTL_SECONDS = 120;
const REFRESH_MS = 30_000;

/** Several connections of one process are one instance. */
const processId = randomUUID();

export interface PresenceOptions extends Omit<Instance, 'startedAt'> {
  readonly send: Send;
  /** The wall clock, in milliseconds: that of a frozen sandbox goes on. */
  readonly now?: () => number;
}

/**
 * Keeps `cutover:instance:{service}:{id}` while it is called: a frozen sandbox has no timers. At most one SET each 30 s, for which
 * nobody waits, and whose error is nobody's. To be called after a command was sent, so that it travels behind it.
 */
export function createPresence({ send, now = Date.now, ...who }: PresenceOptions): () => void {
  const key = `${INSTANCE_PREFIX}${who.service}:${processId}`;
  const instance: Instance = {
    service: who.service,
    phase: who.phase,
    env: who.env,
    mirror: who.mirror,
    startedAt: new Date(performance.timeOrigin).toISOString(),
  };
  const command = ['SET', key, JSON.stringify(instance), 'EX', String(INSTANCE_TTL_SECONDS)] as const;
  let refreshedAt = Number.NEGATIVE_INFINITY;
  return () => {
    const at = now();
    // Also when the clock was set back.
    if (Math.abs(at - refreshedAt) < REFRESH_MS) return;
    refreshedAt = at;
    send(command).catch(() => {});
  };
}

/** The instance that a key's value tells of; undefined for what none of ours writes. */
export function parseInstance(text: string): Instance | undefined {
  try {
    const told = JSON.parse(text) as Partial<Instance> | null;
    if (typeof told?.service !== 'string' || typeof told.env !== 'string') return undefined;
    const { service, env, phase = null, mirror = false, startedAt = '' } = told;
    return { service, phase, env, mirror, startedAt };
  } catch {
    return undefined;
  }
}

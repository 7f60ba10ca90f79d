import { Hono } from 'hono';
import { HEALTH_PATH, READY_PATH } from '../contract/hooks.ts';

/** Asks a server something trivial; rejects when it does not answer. */
export type Probe = () => Promise<unknown>;

interface Check {
  readonly status: 'up' | 'down';
  readonly latencyMs: number;
  readonly error?: string;
}

/** Whether traffic may come, and why not. */
export interface Readiness {
  readonly status: 'ready' | 'unready';
  readonly checks: Readonly<Record<string, Check>>;
}

/** `/health` says that this process is alive; `/ready` that each server it needs answers, and how fast. */
export function healthRoutes(probes: Readonly<Record<string, Probe>>): Hono {
  const routes = new Hono();
  routes.get(HEALTH_PATH, (c) => c.json({ status: 'alive' }));
  routes.get(READY_PATH, async (c) => {
    const readiness = await readinessOf(probes);
    return c.json(readiness, readiness.status === 'ready' ? 200 : 503);
  });
  return routes;
}

/** Asks all servers at once. Never rejects. */
export async function readinessOf(probes: Readonly<Record<string, Probe>>): Promise<Readiness> {
  const entries = Object.entries(probes).map(async ([name, probe]) => [name, await check(probe)] as const);
  const checks = Object.fromEntries(await Promise.all(entries));
  const ready = Object.values(checks).every(({ status }) => status === 'up');
  return { status: ready ? 'ready' : 'unready', checks };
}

async function check(probe: Probe): Promise<Check> {
  const start = performance.now();
  const latencyMs = () => Math.round((performance.now() - start) * 100) / 100;
  try {
    await probe();
    return { status: 'up', latencyMs: latencyMs() };
  } catch (error) {
    // The name only: a message may hold a host or a user.
    return { status: 'down', latencyMs: latencyMs(), error: error instanceof Error ? error.name : 'Error' };
  }
}

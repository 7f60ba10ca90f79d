import * as v from 'valibot';
import { READY_PATH } from '../contract/hooks.ts';
import { HookError } from './error.ts';
import { type AskVersion, jsonOf } from './version.ts';

const Readiness = v.object({
  checks: v.record(v.string(), v.object({ status: v.string(), error: v.optional(v.string()) })),
});

export interface ReadinessOptions {
  /** The servers that have to be up, as the API names them. */
  readonly needs: readonly string[];
  readonly signal: AbortSignal;
}

/**
 * Has the version ask its servers.
 * @throws HookError that names each one that it needs and that is not up; as `AskVersion`.
 */
export async function requireReady(ask: AskVersion, { needs, signal }: ReadinessOptions): Promise<void> {
  const { status, body } = await ask(READY_PATH, signal);
  const { checks } = v.parse(v.fallback(Readiness, { checks: {} }), jsonOf(body));
  const down = needs.filter((need) => checks[need]?.status !== 'up');
  const others = Object.keys(checks).filter((name) => !needs.includes(name) && checks[name]?.status !== 'up');
  // What this version does not need may be away, and then it answers 503 all the same.
  if (down.length === 0 && (status === 200 || (status === 503 && others.length > 0))) return;
  const told = down.map(
    (need) => `${need} is ${checks[need]?.status ?? 'not checked'} (${checks[need]?.error ?? 'no error'})`,
  );
  throw new HookError(
    `hooks: GET ${READY_PATH} answered ${status}; it must be 200: ${told.join(', ') || 'all servers are up'}`,
  );
}

import { PUBLIC_FLAG_ROUTES } from '../contract/flag-routes.ts';
import { HookError } from './error.ts';
import type { AskVersion } from './version.ts';

const [{ path: FLAGS_PATH } = { path: '' }] = PUBLIC_FLAG_ROUTES;

/** Reads all flags. @returns where they came from, as the API says. @throws HookError for any status but 200; as `AskVersion`. */
async function readFlags(ask: AskVersion, signal: AbortSignal): Promise<string | undefined> {
  const { status, headers, body } = await ask(FLAGS_PATH, signal);
  if (status === 200) return headers['x-cache'];
  throw new HookError(`hooks: GET ${FLAGS_PATH} answered ${status}; it must be 200: ${body.slice(0, 200)}`);
}

/**
 * Reads the flags through the version's cache, which fills it.
 * @throws HookError, too, where the read went past the cache.
 */
export async function warmFlags(ask: AskVersion, signal: AbortSignal): Promise<void> {
  const outcome = await readFlags(ask, signal);
  if (outcome === 'hit' || outcome === 'miss') return;
  throw new HookError(
    `hooks: x-cache of GET ${FLAGS_PATH} is ${outcome}; it must be hit or miss: the version does not use its cache`,
  );
}

/**
 * Reads the flags twice.
 * @throws HookError, too, where the second read was no hit.
 */
export async function requireHit(ask: AskVersion, signal: AbortSignal): Promise<void> {
  await readFlags(ask, signal);
  const outcome = await readFlags(ask, signal);
  if (outcome === 'hit') return;
  throw new HookError(
    `hooks: x-cache of a second GET ${FLAGS_PATH} is ${outcome}; it must be hit: the version does not keep what it reads`,
  );
}

/** Tells a primary from a replica; a right that the runtime needs anyway, which ROLE would not be. */
export const ASK_ROLE: readonly string[] = ['INFO', 'replication'];

/** Whether the reply to `ASK_ROLE` is a replica's: it takes no writes, and nobody invalidates what it holds. */
export const isReplica = (reply: unknown): boolean => /^role:slave\b/m.test(String(reply));

/** How long a connection in use may not know that its primary was demoted: until then it reads what nobody invalidates. */
const ASK_EVERY_MS = 1000;

/** Calls `ask` each second, and keeps no process running; what it rejects with is dropped. */
export function watchRole(ask: () => Promise<void>): { end(): void } {
  const timer = setInterval(() => void ask().catch(() => {}), ASK_EVERY_MS);
  timer.unref();
  return { end: () => clearInterval(timer) };
}

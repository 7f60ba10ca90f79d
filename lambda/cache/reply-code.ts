/** The code in capitals that Redis's own errors begin with, such as `WRONGTYPE`; undefined for an error that is no reply. */
export function replyCodeOf(error: unknown): string | undefined {
  return error instanceof Error ? /^[A-Z]+(?= )/.exec(error.message)?.[0] : undefined;
}

/** The code of an error of Node's or PostgreSQL's; '' for one that has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** The code of an error, or of the first of its causes that has one of the network's. */
export function rootCodeOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const code = codeOf(error);
  return code && !code.startsWith('CUTOVER_') ? code : rootCodeOf(error.cause);
}

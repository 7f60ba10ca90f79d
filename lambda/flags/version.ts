import { ProblemError } from '../contract/problem.ts';
import type { Flag, Override } from './schema.ts';

/** The tag of what a reader sees: no two states of a flag, nor of an override, have the same version. */
export const etagOf = (flag: Pick<Flag, 'version'>, override: Pick<Override, 'version'> | null): string =>
  override ? `"${flag.version}-${override.version}"` : `"${flag.version}"`;

/**
 * Compares as If-Match does: a weak tag never matches (RFC 9110, section 13.1.1).
 * @param ifMatch the header; without one everything matches.
 * @throws ProblemError 412 where no tag is the current one.
 */
export function requireMatch(ifMatch: string | undefined, etag: string): void {
  if (ifMatch === undefined || ifMatch.trim() === '*') return;
  const tags = ifMatch.split(',').map((tag) => tag.trim());
  if (tags.includes(etag)) return;
  throw new ProblemError(
    412,
    `if-match ${ifMatch.slice(0, 60)} is not ${etag}: the flag has changed; read it again`,
  );
}

import { RolloutGateError } from './errors.ts';

/** What the operator says of who writes without an invalidation. */
export interface CoverageAnswer {
  readonly judged: boolean;
  readonly complete: boolean;
  readonly writers: readonly {
    readonly table: string;
    readonly writer: string;
    readonly covered: boolean;
    readonly uncoveredWrites: number;
  }[];
  readonly instances: readonly { readonly service: string; readonly mirror: boolean }[];
}

/** @throws RolloutGateError that names each writer without the mirror. */
export function requireCoverage({ judged, writers, instances }: CoverageAnswer): { readonly text: string } {
  const complaints = writers
    .filter(({ covered }) => !covered)
    .map(
      ({ table, writer, uncoveredWrites }) =>
        `${writer} changes ${table} without an invalidation (${uncoveredWrites} writes); put the mirror into it`,
    );
  const mirrors = instances.filter(({ mirror }) => mirror);
  if (!judged) complaints.push('no dispatcher was seen in the last 2 minutes, so that nobody finds out');
  if (mirrors.length === 0) {
    complaints.push(
      'no instance with the mirror was seen in the last 2 minutes; wrap the legacy backend’s client',
    );
  }
  if (complaints.length > 0) throw new RolloutGateError(`rollout: coverage: ${complaints.join('; ')}`);
  return { text: `${mirrors.length} instances with the mirror, ${writers.length} writers, all covered` };
}

/** @throws RolloutGateError that names those that are red. */
export function requireGreen(red: readonly string[]): { readonly text: string } {
  if (red.length === 0) return { text: 'no alarm is red' };
  throw new RolloutGateError(
    `rollout: red alarms: ${red.join(', ')}; all must be green: their articles are in docs/operations/alarms.md`,
  );
}

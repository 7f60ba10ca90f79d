import * as v from 'valibot';
import { CutoverError } from '../contract/errors.ts';
import { matchesEverything, requirePattern } from './plan/pattern.ts';

/** An event that cannot be done: names the field, its value and the remedy. Nothing was changed. */
export class FlushEventError extends CutoverError {
  override readonly name = 'FlushEventError';
  readonly code = 'CUTOVER_FLUSH_EVENT';
}

const Patterns = v.pipe(
  v.array(v.string('is not a text; write a pattern such as "mocs:*"'), 'is not a list of patterns'),
  v.maxLength(100, 'has more than 100 patterns'),
);

const Position = v.strictObject(
  {
    runId: v.pipe(v.string('is not a text'), v.regex(/^\w{1,64}$/, 'is not the run_id of a Redis')),
    cursor: v.pipe(v.string('is not a text'), v.regex(/^\d{1,20}$/, 'is not a cursor of SCAN')),
  },
  'is not what an earlier run has answered, { "runId": ..., "cursor": ... }',
);

const Amount = v.pipe(v.number('is not a number'), v.finite('is not finite'), v.minValue(0, 'is below 0'));
/** A field that is true or false. */
export const Switch = v.boolean('is neither true nor false');

/** What every pass over the keys takes. */
export const PASS_FIELDS = {
  /** For how long others may wait for Redis because of it; 0 for as fast as Redis goes. */
  maxLatencyMs: v.optional(Amount),
  /** Of this turn, which has a limit of its own. */
  limitSeconds: v.optional(Amount),
  /** Where an earlier run has stopped. */
  positions: v.optional(v.pipe(v.array(Position, 'is not a list'), v.maxLength(1000, 'is too long'))),
};

/** What a pass that deletes takes. */
export const DELETING_FIELDS = {
  /** Counts and deletes nothing. Default: what DRY_RUN says. */
  dryRun: v.optional(Switch),
  /** Whether a dry run answers sizes, times to live and some keys, too. An id in a key may be a person's. */
  survey: v.optional(Switch),
};

/** The namespaces by the names that people have for them. */
export const NAMESPACES: Readonly<Record<'none' | 'v2' | 'cw', (env: string) => string>> = {
  none: () => '',
  v2: () => 'v2:',
  cw: (env) => `cw:${env}:`,
};
export const NAMESPACE_NAMES = ['none', 'v2', 'cw'] as const satisfies readonly (keyof typeof NAMESPACES)[];

const FLUSH_FIELDS = {
  ...DELETING_FIELDS,
  /** Instead of the registry's flushed families. */
  patterns: v.optional(v.pipe(Patterns, v.minLength(1, 'is empty; leave it out for the registry’s'))),
  /** Beside the registry's preserved families. */
  preserve: v.optional(Patterns),
  /** Only the keys in this one. */
  namespace: v.optional(v.picklist(NAMESPACE_NAMES, `is none of ${NAMESPACE_NAMES.join(', ')}`)),
  ...PASS_FIELDS,
};
const Flush = v.strictObject(FLUSH_FIELDS, `is no field of a flush, which are ${namesOf(FLUSH_FIELDS)}`);

/** What a flush is asked for; `{}` is the registry's. */
export type FlushEvent = v.InferOutput<typeof Flush>;

/** CloudWatch keeps metrics of a minute for 15 days. */
const KEPT_MS = 15 * 24 * 3600 * 1000;

const RECOVERY_FIELDS = {
  check: v.literal('recovery', 'is not "recovery"'),
  /** When the flush began. */
  since: v.pipe(
    v.string('is not a time; write one such as "2026-11-27T03:00:00Z"'),
    v.isoTimestamp('is not a time; write one such as "2026-11-27T03:00:00Z"'),
    v.check((time) => Date.parse(time) <= Date.now(), 'is in the future'),
    v.check(
      (time) => Date.parse(time) > Date.now() - KEPT_MS,
      'is more than 15 days ago; nothing is left of it',
    ),
  ),
};
const Recovery = v.strictObject(
  RECOVERY_FIELDS,
  `is missing, or no field of a check, which are ${namesOf(RECOVERY_FIELDS)}`,
);

/** The question whether the hit rate is back. */
export type RecoveryEvent = v.InferOutput<typeof Recovery>;

/** @throws FlushEventError. */
export function parseFlushEvent(event: unknown): FlushEvent {
  const parsed = parseEvent(Flush, event, 'flush');
  for (const field of ['patterns', 'preserve'] as const) {
    for (const pattern of parsed[field] ?? []) requireGood(field, pattern);
  }
  if (parsed.patterns && matchesEverything(parsed.patterns)) {
    throw new FlushEventError(
      `flush: patterns of the event, ${show(parsed.patterns)}, match every key; name the families, such as "mocs:*"`,
    );
  }
  return parsed;
}

/** What the scheduled function is asked for: `{ check }` or a flush. @throws FlushEventError. */
export function parseScheduledEvent(event: unknown): FlushEvent | RecoveryEvent {
  const asks = typeof event === 'object' && event !== null && 'check' in event;
  return asks ? parseEvent(Recovery, event, 'flush') : parseFlushEvent(event);
}

/** @param origin the command that is asked for. @throws FlushEventError. */
export function parseEvent<S extends v.GenericSchema>(
  schema: S,
  event: unknown,
  origin: string,
): v.InferOutput<S> {
  requireObject(
    event,
    `${origin}: the event ${show(event)} is not an object; {} flushes what the registry says`,
  );
  const parsed = v.safeParse(schema, event);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  // Of a field that should not be there the issue's own input is its name.
  const value = issue.path?.at(-1)?.value;
  throw new FlushEventError(
    `${origin}: ${v.getDotPath(issue)} of the event, ${show(value)}, ${issue.message}; nothing was changed`,
  );
}

/** @throws FlushEventError with the message. */
export function requireObject(
  event: unknown,
  message: string,
): asserts event is Readonly<Record<string, unknown>> {
  if (typeof event !== 'object' || event === null || Array.isArray(event)) throw new FlushEventError(message);
}

function requireGood(field: string, pattern: string): void {
  try {
    requirePattern(field, pattern);
  } catch (error) {
    throw new FlushEventError((error as Error).message, { cause: error });
  }
}

/** The fields, for a message. */
export function namesOf(fields: Readonly<Record<string, unknown>>): string {
  return Object.keys(fields).join(', ');
}

/** A value in a message, not longer than a line. */
export function show(value: unknown): string {
  const json = JSON.stringify(value) ?? 'nothing';
  return json.length > 60 ? `${json.slice(0, 60)}...` : json;
}

import * as v from 'valibot';
import { MAX_KEY_BYTES } from '../cache/keyspace.ts';
import {
  DELETING_FIELDS,
  type FlushEvent,
  FlushEventError,
  namesOf,
  PASS_FIELDS,
  parseEvent,
  parseFlushEvent,
  requireObject,
  Switch,
  show,
} from '../flush/event.ts';
import { CLEANUP_TARGETS } from '../flush/plan/cleanup.ts';

/** What the operator can be asked for; there is nothing else that it does. */
export const OPERATOR_COMMANDS = [
  'flush',
  'census',
  'cleanup',
  'doctor',
  'explain',
  'phase',
  'coverage',
] as const;
export type OperatorCommand = (typeof OPERATOR_COMMANDS)[number];

const Census = v.strictObject(
  PASS_FIELDS,
  `is no field of a census, which are ${namesOf({ command: '', ...PASS_FIELDS })}`,
);

const CLEANUP_FIELDS = {
  target: v.picklist(CLEANUP_TARGETS, `is none of ${CLEANUP_TARGETS.join(', ')}`),
  /** Whether the legacy backend is stopped, which nobody can see from here. */
  legacyStopped: v.optional(Switch),
  ...DELETING_FIELDS,
  ...PASS_FIELDS,
};
const Cleanup = v.strictObject(
  CLEANUP_FIELDS,
  `is missing, or no field of a cleanup, which are ${namesOf({ command: '', ...CLEANUP_FIELDS })}`,
);

/** Questions that are answered in one turn. */
const Doctor = v.strictObject({}, 'is no field of a doctor’s event, which has no other than command');
const Phase = v.strictObject({}, 'is no field of a phase’s event, which has no other than command');
const DAY_SECONDS = 86_400;
const COVERAGE_FIELDS = {
  /** How far back a writer counts. */
  sinceSeconds: v.optional(
    v.pipe(
      v.number('is not a number'),
      v.minValue(1, 'is below 1'),
      v.maxValue(30 * DAY_SECONDS, 'is above 30 days'),
    ),
    DAY_SECONDS,
  ),
};
const Coverage = v.strictObject(
  COVERAGE_FIELDS,
  `is no field of a coverage, which are ${namesOf({ command: '', ...COVERAGE_FIELDS })}`,
);
const EXPLAIN_FIELDS = {
  /** As a handler names it. */
  key: v.pipe(
    v.string('is not a text'),
    v.minLength(1, 'is empty'),
    v.maxLength(MAX_KEY_BYTES, 'is too long'),
  ),
  showValue: v.optional(Switch),
};
const Explain = v.strictObject(
  EXPLAIN_FIELDS,
  `is missing, or no field of an explanation, which are ${namesOf({ command: '', ...EXPLAIN_FIELDS })}`,
);

export type CensusEvent = v.InferOutput<typeof Census>;
export type CleanupEvent = v.InferOutput<typeof Cleanup>;
export type CoverageEvent = v.InferOutput<typeof Coverage>;
export type ExplainEvent = v.InferOutput<typeof Explain>;

/** One turn of a command of the command line. */
export type TurnEvent =
  | ({ readonly command: 'flush' } & FlushEvent)
  | ({ readonly command: 'census' } & CensusEvent)
  | ({ readonly command: 'cleanup' } & CleanupEvent);
/** A question of it, which is answered in one turn. */
export type QuestionEvent =
  | { readonly command: 'doctor' }
  | ({ readonly command: 'explain' } & ExplainEvent)
  | { readonly command: 'phase' }
  | ({ readonly command: 'coverage' } & CoverageEvent);
export type OperatorEvent = TurnEvent | QuestionEvent;

const QUESTIONS: ReadonlySet<OperatorCommand> = new Set(['doctor', 'explain', 'phase', 'coverage']);

/** Whether an event asks, and changes nothing. */
export const isQuestion = (event: OperatorEvent): event is QuestionEvent => QUESTIONS.has(event.command);

/** @throws FlushEventError. */
export function parseOperatorEvent(event: unknown): OperatorEvent {
  requireObject(
    event,
    `operator: the event ${show(event)} is not an object; it is { "command": "flush", ... }; nothing was changed`,
  );
  const { command, ...options } = event;
  if (command === 'flush') return { command, ...parseFlushEvent(options) };
  if (command === 'census') return { command, ...parseEvent(Census, options, command) };
  if (command === 'cleanup') return { command, ...parseEvent(Cleanup, options, command) };
  if (command === 'doctor') return { command, ...parseEvent(Doctor, options, command) };
  if (command === 'explain') return { command, ...parseEvent(Explain, options, command) };
  if (command === 'coverage') return { command, ...parseEvent(Coverage, options, command) };
  if (command === 'phase') return { command, ...parseEvent(Phase, options, command) };
  throw new FlushEventError(
    `operator: command of the event, ${show(command)}, is none of ${OPERATOR_COMMANDS.join(', ')}; nothing was changed`,
  );
}

import * as v from 'valibot';
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
export const OPERATOR_COMMANDS = ['flush', 'census', 'cleanup'] as const;
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

export type CensusEvent = v.InferOutput<typeof Census>;
export type CleanupEvent = v.InferOutput<typeof Cleanup>;

/** One turn of a command of the command line. */
export type OperatorEvent =
  | ({ readonly command: 'flush' } & FlushEvent)
  | ({ readonly command: 'census' } & CensusEvent)
  | ({ readonly command: 'cleanup' } & CleanupEvent);

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
  throw new FlushEventError(
    `operator: command of the event, ${show(command)}, is none of ${OPERATOR_COMMANDS.join(', ')}; nothing was changed`,
  );
}

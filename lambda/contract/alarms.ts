import type { AlarmDefinition, StageFacts } from './alarms/definition.ts';
import { VERSION_ALARMS } from './alarms/new-version.ts';
import { NODE_ALARMS } from './alarms/nodes.ts';
import { SERVICE_ALARMS } from './alarms/service.ts';

export type { AlarmDefinition, Severity, StageFacts, Watched, WatchedFunction } from './alarms/definition.ts';

/**
 * Every alarm. Each has an article in docs/operations/alarms.md, under its name; a test compares both. That its metrics are recorded,
 * and that it turns red and green again, is tested, too.
 */
export const ALARMS = { ...SERVICE_ALARMS, ...NODE_ALARMS, ...VERSION_ALARMS };

export type AlarmName = keyof typeof ALARMS;

/** All of them, with their names, as the type says them. */
export const ALARM_ENTRIES = Object.entries(ALARMS) as unknown as readonly (readonly [
  AlarmName,
  AlarmDefinition,
])[];

/** Those that a stage has. */
export const alarmsOf = (facts: StageFacts) => ALARM_ENTRIES.filter(([, { isOf }]) => isOf?.(facts) ?? true);

/** Where its article is. */
export const runbookOf = (name: AlarmName): string => `docs/operations/alarms.md#${name}`;

/** `cutover/outbox`: the cache wired whole, for a service that writes to the database, too. */
export {
  type Database,
  isInTransaction,
  type Queryable,
  queryable,
} from '../database/pool.ts';
export { TriggerError } from '../database/triggers.ts';
export type { Logger } from '../telemetry/logger.ts';
export type { DispatchReport } from './dispatch.ts';
export { type Dispatcher, openDispatcher } from './dispatcher.ts';
export { type OpenedCache, openCache } from './open-cache.ts';
export { prepareOutbox } from './prepare.ts';
export type { WireOptions } from './wire-cache.ts';
export {
  createWrites,
  type Writes,
  type WritesOptions,
  type WriteTransaction,
  type Written,
} from './writes.ts';

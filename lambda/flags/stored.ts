import * as v from 'valibot';
import type { Flag, FlagSet, Override } from './schema.ts';

/** What the cache may hold: another shape is the legacy backend's, and a miss. Only what decides is looked at, at each hit. */
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

const isFlag = (value: unknown): value is Flag =>
  isObject(value) &&
  typeof value['key'] === 'string' &&
  typeof value['enabled'] === 'boolean' &&
  typeof value['version'] === 'number';

const isOverride = (value: unknown): value is Override =>
  isObject(value) &&
  ['boolean', 'undefined'].includes(typeof value['enabled']) &&
  typeof value['version'] === 'number';

const isFlagSet = (value: unknown): value is FlagSet =>
  isObject(value) && Array.isArray(value['flags']) && value['flags'].every(isFlag);

export const StoredFlag = v.custom<Flag | null>((value) => value === null || isFlag(value));
export const StoredOverride = v.custom<Override | null>((value) => value === null || isOverride(value));
export const StoredFlagSet = v.custom<FlagSet>(isFlagSet);

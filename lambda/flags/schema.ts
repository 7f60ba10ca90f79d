import * as v from 'valibot';
import { ProblemError } from '../contract/problem.ts';
import { parseJson, requireStorable } from '../request/json-body.ts';
import { show, showJson } from '../request/show.ts';

/** A flag, as it is for everybody. */
export interface Flag {
  readonly key: string;
  readonly description: string;
  readonly enabled: boolean;
  /** Any JSON but null; absent where the flag is no more than on or off. */
  readonly value?: unknown;
  /** Above that of any earlier state of the flag, also of one that was deleted since. */
  readonly version: number;
  readonly updatedAt: string;
  /** The subject of the token. */
  readonly updatedBy: string;
}

/** What differs for one user; what is absent is as for everybody. */
export interface Override {
  readonly enabled?: boolean;
  readonly value?: unknown;
  readonly version: number;
  readonly updatedAt: string;
  readonly updatedBy: string;
}

/** All flags of an environment, by key. */
export interface FlagSet {
  readonly environment: string;
  readonly flags: readonly Flag[];
}

/** What can be said of a flag when it is made. */
export type FlagFields = Pick<Flag, 'key' | 'description' | 'enabled' | 'value'>;
/** A JSON merge patch of a flag. */
export type FlagPatch = Readonly<{ description?: string | null; enabled?: boolean; value?: unknown }>;
/** A JSON merge patch of an override: null takes a field back. */
export type OverridePatch = Readonly<{ enabled?: boolean | null; value?: unknown }>;

export const MAX_KEY_LENGTH = 100;
const MAX_DESCRIPTION_LENGTH = 1000;

const Key = v.pipe(
  v.string('is no text'),
  v.maxLength(MAX_KEY_LENGTH, `is longer than ${MAX_KEY_LENGTH} characters`),
  v.regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
    'has to be letters, digits, ".", "_" and "-", and begin with a letter or a digit',
  ),
);
const Description = v.pipe(
  v.string('is no text'),
  v.maxLength(MAX_DESCRIPTION_LENGTH, `is longer than ${MAX_DESCRIPTION_LENGTH} characters`),
);
const Enabled = v.boolean('is neither true nor false');

const NewFlag = v.strictObject({
  key: Key,
  description: v.optional(Description, ''),
  enabled: Enabled,
  value: v.optional(v.unknown()),
});
const Patch = v.strictObject({
  description: v.optional(v.nullable(Description)),
  enabled: v.optional(Enabled),
  value: v.optional(v.unknown()),
});
const PatchOfOverride = v.strictObject({
  enabled: v.optional(v.nullable(Enabled)),
  value: v.optional(v.unknown()),
});

/** The key under which all flags of an environment are cached. */
export const setKey = (environment: string): string => `feature_flags:${environment}`;
/** The key under which a flag is cached. */
export const flagKey = (key: string): string => `flag:${key}`;
/** The key under which a user's override, or its absence, is cached. */
export const overrideKey = (key: string, userId: string): string => `flag:${key}:user:${userId}`;

/** @throws ProblemError 400 for what can be no flag's key. */
export function parseKey(key: string): string {
  const parsed = v.safeParse(Key, key);
  if (parsed.success) return parsed.output;
  throw new ProblemError(400, `flagKey ${show(key)} ${parsed.issues[0].message}`);
}

/** Reads the body of a POST. @throws ProblemError 413 or 400 naming the field. */
export const parseFlag = (text: string): FlagFields => parse(NewFlag, text);
/** Reads the body of a PATCH. @throws ProblemError 413 or 400 naming the field. */
export const parsePatch = (text: string): FlagPatch => parse(Patch, text);
/** Reads the body of a PATCH for one user. @throws ProblemError 413 or 400 naming the field. */
export const parseOverridePatch = (text: string): OverridePatch => parse(PatchOfOverride, text);

interface Body {
  readonly [name: string]: unknown;
  readonly value?: unknown;
}

/** What a body may hold. */
type BodySchema<T> = v.GenericSchema<unknown, T> & { readonly entries: Readonly<Record<string, unknown>> };

function parse<T extends Body>(schema: BodySchema<T>, text: string): T {
  const json = parseJson(text);
  const fields = Object.keys(schema.entries).map((name) => JSON.stringify(name));
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new ProblemError(400, `the body ${show(text)} is not an object of ${fields.join(', ')}`);
  }
  const parsed = v.safeParse(schema, json);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw new ProblemError(
      400,
      `field ${complaint(issue, { ...json })}; the fields are ${fields.join(', ')}`,
    );
  }
  for (const [name, value] of Object.entries(parsed.output)) requireStorable(value, name);
  return parsed.output;
}

function complaint(issue: v.BaseIssue<unknown>, body: Body): string {
  const name = v.getDotPath(issue) ?? '';
  if (issue.type === 'strict_object' && issue.expected === 'never') return `${show(name)} is not known`;
  const value = body[name];
  return value === undefined
    ? `${show(name)} is missing`
    : `${show(name)} ${showJson(value)} ${issue.message}`;
}

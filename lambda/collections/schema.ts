import * as v from 'valibot';
import { COLLECTIONS, type Collection } from '../contract/families.ts';
import { ProblemError } from '../contract/problem.ts';
import { parseId } from '../request/id.ts';
import { parseJson, requireStorable } from '../request/json-body.ts';
import { show } from '../request/show.ts';

/** A JSON object, as a client stores it. */
export type ItemData = Readonly<Record<string, unknown>>;

export interface Item {
  readonly id: string;
  readonly version: number;
  readonly data: ItemData;
}

/** A user's collection; `version` counts its changes. */
export interface ItemList {
  readonly items: readonly Item[];
  readonly version: number;
}

/** Whose collection a request is about. */
export interface Owner {
  readonly userId: string;
  readonly collection: Collection;
}

const Body = v.strictObject({
  data: v.custom<ItemData>((value) => typeof value === 'object' && value !== null && !Array.isArray(value)),
});

/** The key under which a collection's list is cached, by either backend. */
export const listKey = ({ userId, collection }: Owner): string => `${collection}:user:${userId}:list`;

/** @throws ProblemError 404 for an unknown collection, 400 for a user id that no key may be built from. */
export function parseOwner({ userId, collection }: { userId: string; collection: string }): Owner {
  const known = COLLECTIONS.find((name) => name === collection);
  if (!known)
    throw new ProblemError(404, `collection ${show(collection)} is none of ${COLLECTIONS.join(', ')}`);
  return { userId: parseId('userId', userId), collection: known };
}

/**
 * Reads the body of a PUT: `{ "data": object }` and nothing else.
 * @throws ProblemError 413 or 400 naming the field.
 */
export function parseBody(text: string): ItemData {
  const parsed = v.safeParse(Body, parseJson(text));
  if (!parsed.success) {
    const field = v.getDotPath(parsed.issues[0]);
    const what = field ? `${show(field)} of the body` : 'the body';
    throw new ProblemError(400, `${what} ${show(text)} does not fit { "data": object }`);
  }
  requireStorable(parsed.output.data, 'data');
  return parsed.output.data;
}

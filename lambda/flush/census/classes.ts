import { createKeyspace } from '../../cache/keyspace.ts';
import { FAMILIES, type Family } from '../../contract/families.ts';
import { beginsWith } from '../begins-with.ts';

/** `own` is what the runtime keeps for itself, `unclassified` what no family of the registry names. */
export type CensusKind = Family['kind'] | 'own' | 'unclassified';

/** The keys of one family in one namespace. */
export interface CensusClass {
  /** `v2:`, `cw:{env}:`, or '' for the keys of the legacy backend. */
  readonly namespace: string;
  /** Undefined for the keys of no family. */
  readonly family: string | undefined;
  readonly kind: CensusKind;
}

/** Which class a key belongs to; pure. Every key is of one. */
export interface Classes {
  readonly all: readonly CensusClass[];
  /** '' first. */
  readonly namespaces: readonly string[];
  /** The class of the key in these bytes, by its number in `all`. */
  classify(bytes: Buffer, start: number, end: number): number;
  /** What an unclassified key is counted under: its namespace, and what ends with the first colon; Latin-1. */
  groupOf(key: Buffer): string;
}

/** What the runtime's own keys begin with, up to the colon. */
const OWN = 'cutover';
const COLON = 0x3a;
/** Longer beginnings are told apart by so many bytes: a group's name is for a person. */
const MAX_GROUP_BYTES = 64;

/** The classes of the registry, in every namespace in use and in none. */
export function createClasses(env: string, families: readonly Family[] = FAMILIES): Classes {
  const namespaces = ['', ...createKeyspace({ phase: 'legacy', env, families }).namespaces];
  const kinds: readonly Omit<CensusClass, 'namespace'>[] = [
    ...families.map(({ name, kind }) => ({ family: name, kind })),
    { family: OWN, kind: 'own' },
    { family: undefined, kind: 'unclassified' },
  ];
  const none = kinds.length - 1;
  // A name in Latin-1 has a character for each byte of a key.
  const numbers = new Map(
    kinds.slice(0, none).map(({ family }, index) => [Buffer.from(family ?? '').toString('latin1'), index]),
  );
  const prefixes = namespaces.map((namespace) => Buffer.from(namespace));

  const namespaceOf = (bytes: Buffer, start: number, end: number) =>
    Math.max(
      0,
      prefixes.findIndex((prefix, index) => index > 0 && beginsWith(bytes, start, prefix, end)),
    );
  return {
    namespaces,
    all: namespaces.flatMap((namespace) => kinds.map((kind) => ({ namespace, ...kind }))),
    classify(bytes, start, end) {
      const namespace = namespaceOf(bytes, start, end);
      const from = start + (prefixes[namespace]?.length ?? 0);
      const colon = colonIn(bytes, from, end);
      const name = colon < 0 ? '' : bytes.toString('latin1', from, colon);
      return namespace * kinds.length + (numbers.get(name) ?? none);
    },
    groupOf(key) {
      const from = prefixes[namespaceOf(key, 0, key.length)]?.length ?? 0;
      let colon = colonIn(key, from, key.length);
      // The namespace of another NODE_ENV tells more than its first part.
      if (key.toString('latin1', from, colon + 1) === 'cw:') colon = colonIn(key, colon + 1, key.length);
      // Without a colon each key would be a group of its own.
      return key.toString('latin1', 0, colon < 0 ? from : Math.min(colon + 1, MAX_GROUP_BYTES));
    },
  };
}

/** Not `indexOf`, which would go on beyond the key. */
function colonIn(bytes: Buffer, from: number, end: number): number {
  for (let at = from; at < end; at += 1) if (bytes[at] === COLON) return at;
  return -1;
}

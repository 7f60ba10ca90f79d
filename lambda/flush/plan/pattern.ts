import { MAX_KEY_BYTES } from '../../cache/keyspace.ts';
import { ConfigurationError } from '../../contract/errors.ts';
import { compileGlob } from './glob-bytes.ts';

/** @throws ConfigurationError for a pattern that is surely a mistake, naming the option, the pattern and the remedy. */
export function requirePattern(option: string, pattern: string): void {
  const complaint = complaintOf(pattern);
  if (complaint) throw new ConfigurationError(`flush: ${option} ${JSON.stringify(pattern)} ${complaint}`);
}

function complaintOf(pattern: string): string | undefined {
  if (pattern === '') return 'is empty; write one such as mocs:*';
  if (Buffer.byteLength(pattern) > MAX_KEY_BYTES) {
    return `is longer than ${MAX_KEY_BYTES} bytes; shorten it with *`;
  }
  const [, unfinished] = /^(?:\\.|\[\^?(?:\\.|[^\]\\])*\]|[^\\[])*(.*)$/s.exec(pattern) ?? [];
  if (unfinished?.startsWith('['))
    return 'has a [ that never ends; close it with ], or write \\[ for the character';
  if (unfinished) return 'ends with \\; write \\\\ for the character';
  // A set is one of bytes, of which such a character has several, and their order is that of the server's processor.
  if (/\[(?:\\.|[^\]\\])*[^\0-\x7f]/s.test(pattern.replaceAll(/\\\[/g, ''))) {
    return 'has a character that is not ASCII between [ and ]; write it outside of them, or ? for each of its bytes';
  }
  return undefined;
}

/** What keys look like: one for each letter of each shape. */
const SHAPES: readonly ((letter: string) => string)[] = [
  (letter) => `${letter}:${letter}`,
  (letter) => letter.repeat(12),
  (letter) => `${letter.repeat(6)}:${letter.repeat(6)}`,
  (letter) => [4, 4, 3, 4].map((length) => letter.repeat(length)).join(':'),
];
const LETTERS = [...'abcdefghijklmnopqrstuvwxyz'];

/** Whether the patterns together match every key of a shape, whatever letter it is of: such a flush would empty a keyspace. */
export function matchesEverything(patterns: readonly string[]): boolean {
  const matchers = patterns.map(compileGlob);
  const isMatched = (text: string) => {
    const key = Buffer.from(text);
    return matchers.some((matches) => matches(key, 0, key.length));
  };
  return SHAPES.some((shape) => LETTERS.every((letter) => isMatched(shape(letter))));
}

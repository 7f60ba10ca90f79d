/** Examples in docstrings as programs: what a trailing comment says of an expression is compared. */

/** The `ts` blocks behind the `@example` tags of a docstring. */
export function examplesIn(docstring: string): string[] {
  return [...docstring.matchAll(/@example\s+```ts\n([\s\S]*?)```/g)].map(([, code = '']) => code);
}

/** `expression; // => value`, `const name = expression; // => value`, `expression; // throws NameOfTheError` */
const EXPECTATION =
  /^\s*(?:const (?<name>\w+) = )?(?<expression>.+?);? *\/\/ (?<how>=>|throws) (?<expected>.+)$/;

const PRELUDE = `import { deepStrictEqual as $equal, rejects as $rejects } from 'node:assert/strict';
const $expect = (actual: unknown, expected: unknown): void => $equal(actual, expected);
`;

/**
 * The example as a program that fails where a comment of it is not true.
 * @throws for one that expects nothing, and so could not fail.
 */
export function programOf(example: string): string {
  let expectations = 0;
  const lines = example.split('\n').map((line) => {
    const { name, expression, how, expected } = EXPECTATION.exec(line)?.groups ?? {};
    if (expected === undefined) {
      if (/\/\/ (=>|throws) /.test(line)) throw new Error(`examples: put it behind an expression: ${line}`);
      return line;
    }
    expectations += 1;
    if (how === 'throws') return `await $rejects(async () => ${expression}, { name: '${expected}' });`;
    return name ? `${line}\n$expect(${name}, ${expected});` : `$expect(${expression}, ${expected});`;
  });
  if (expectations === 0) throw new Error(`examples: no line ends with "// => value":\n${example}`);
  return PRELUDE + lines.join('\n');
}

import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { buildSync } from 'esbuild';
import { FUNCTION_ENVIRONMENT, type FunctionName } from '../../../lambda/contract/environment.ts';
import { FAMILIES } from '../../../lambda/contract/families.ts';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const FOLDER = path.join(ROOT, 'lambda/functions');
const NAMES = Object.keys(FUNCTION_ENVIRONMENT) as FunctionName[];

/** What of our own sources gets into the function's bundle, without what is left out as unused. */
function ownCode(name: FunctionName): string {
  const { outputFiles } = buildSync({
    absWorkingDir: ROOT,
    entryPoints: [path.join(FOLDER, `${name}.ts`)],
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    write: false,
  });
  const code = outputFiles.map(({ text }) => text).join('\n');
  // A package's constant is no variable.
  return code.replaceAll(/^import \{[^}]*\} from .*$/gm, '');
}

/** The variables that the code names where it reads an environment. */
function variablesIn(code: string): string[] {
  const names = new Set<string>();
  // Taken apart, also in the parameter of a function: `{ REDIS_URL: url, DATABASE_URL }`.
  for (const [destructured] of code.matchAll(/\{ (?:[A-Z][A-Z0-9_]+(?:: \w+)?(?: = "\w*")?(?:, )?)+ \}/g)) {
    for (const [name] of destructured.matchAll(/\b[A-Z][A-Z0-9_]+\b/g)) names.add(name);
  }
  for (const [, name = ''] of code.matchAll(/(?:process\.env|environment)(?:\.|\[")([A-Z][A-Z0-9_]+)/g))
    names.add(name);
  for (const [, name = ''] of code.matchAll(/readSwitch\([^,()]+, "(\w+)"\)/g)) names.add(name);
  if (/readSwitch\([^,()]+, \w+\.phaseSwitch\)/.test(code)) {
    for (const { phaseSwitch } of FAMILIES) if (phaseSwitch) names.add(phaseSwitch);
  }
  // Powertools' logger reads its level by itself.
  if (/\bnew PowertoolsLogger\(/.test(code)) names.add('LOG_LEVEL');
  // What Lambda itself sets.
  return [...names].filter((name) => !name.startsWith('AWS_')).sort();
}

test('every function has a file, and every file is a function', () => {
  const files = readdirSync(FOLDER).map((file) => path.basename(file, '.ts'));
  expect(files.sort()).toEqual([...NAMES].sort());
});

describe.each(NAMES)('the function %s', (name) => {
  const code = ownCode(name);

  test('reads the variables of its contract, and no other', () => {
    expect(variablesIn(code)).toEqual([...FUNCTION_ENVIRONMENT[name]].sort());
  });

  test('reads no environment in a way that this test does not see', () => {
    const reads = code.match(/process\.env\b(?!\.|\[")/g) ?? [];
    const known = code.match(/\} = process\.env\b|\w+\(process\.env[,)]/g) ?? [];
    expect(known).toHaveLength(reads.length);
  });
});

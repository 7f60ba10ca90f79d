import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { cutoverServing, type Serving } from '../support/cli.ts';
import { stepsOf, withoutTimes } from '../support/pages.ts';
import { freshDatabase } from '../support/servers.ts';

/** The commands of docs/api.md, run in order against `npm run serve`, print what the page says. */
const PAGE = path.resolve(import.meta.dirname, '../../docs/api.md');
const [setting, ...steps] = stepsOf(readFileSync(PAGE, 'utf8'));
/** Of the setting what is not of this run. */
const functions = setting?.commands.replaceAll(/^[A-Z]+=.*$/gm, '') ?? '';
const hasCurl = spawnSync('curl', ['--version']).status === 0;

let serving: Serving;

beforeAll(async () => {
  const { url } = await freshDatabase();
  serving = await cutoverServing({ DATABASE_URL: url });
});

async function print(commands: string): Promise<string> {
  const env = { PATH: process.env['PATH'], API: serving.url, TOKEN: serving.token };
  const { stdout } = await promisify(execFile)('bash', ['-c', functions + commands], { env });
  return stdout;
}

test('the page has steps', () => {
  expect(steps.length).toBeGreaterThan(5);
  expect(functions).toContain('said()');
});

(hasCurl ? describe : describe.skip)('with curl on the PATH', () => {
  test.each(steps.map(({ commands, output }, index) => [index + 1, commands, output] as const))(
    'step %i',
    async (_, commands, output) => {
      expect(withoutTimes(await print(commands))).toBe(withoutTimes(output ?? ''));
    },
  );
});

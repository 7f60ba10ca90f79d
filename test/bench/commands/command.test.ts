import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { stamped } from '../../../bench/bench.ts';
import { benchCommand, type Effort } from '../../../bench/commands/command.ts';
import { ownWorkspace } from '../../support/servers.ts';

const FULL = { rounds: 20, slotMs: 500 };
const QUICK = { rounds: 5, slotMs: 300 };

beforeEach(() => {
  jest.spyOn(console, 'log').mockImplementation(() => {});
  jest.spyOn(process.stderr, 'write').mockReturnValue(true);
});
afterEach(() => {
  jest.restoreAllMocks();
  process.exitCode = undefined;
});

/** Runs a command that measures how much it is asked for, and whose target `met` decides. */
async function run(args: readonly string[], met = true) {
  const command = benchCommand<Effort>({
    name: 'nothing',
    description: 'measures nothing',
    effort: FULL,
    quick: QUICK,
    run: async (_, { rounds, slotMs }) => stamped([{ rounds, slotMs }]),
    report: ({ rows }) => JSON.stringify(rows),
    judge: () => [{ name: 'a target', met, measured: '' }],
  }).exitOverride();
  await command.parseAsync(args, { from: 'user' });
  return { printed: jest.mocked(console.log).mock.lastCall?.[0], exitCode: process.exitCode };
}

test.each([
  [[], FULL],
  [['--quick'], QUICK],
  [['--rounds', '2'], { ...FULL, rounds: 2 }],
  [['--quick', '--rounds', '2'], { ...QUICK, rounds: 2 }],
])('%j measures %j', async (args, effort) => {
  expect((await run(args)).printed).toBe(JSON.stringify([effort]));
});

test('only --assert makes a missed target a failure', async () => {
  expect((await run([], false)).exitCode).toBeUndefined();
  expect((await run(['--assert'], true)).exitCode).toBeUndefined();
  expect((await run(['--assert'], false)).exitCode).toBe(1);
});

test('--json writes the rows with machine and date', async () => {
  const file = path.join((await ownWorkspace()).folder, 'rows.json');
  await run(['--json', file]);
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(stamped([FULL]));
});

test.each(['0', '1.5', 'many'])('--rounds %s is refused', async (rounds) => {
  await expect(run(['--rounds', rounds])).rejects.toThrow('It is not a whole number above 0.');
});

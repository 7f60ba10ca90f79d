import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Command } from 'commander';
import { ALARM_ENTRIES, runbookOf } from '../../../lambda/contract/alarms.ts';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const FOLDER = path.join(ROOT, 'docs/operations');
const read = (file: string) => readFileSync(path.join(FOLDER, file), 'utf8');

/** As GitHub makes an anchor of a heading. */
const anchorOf = (heading: string): string =>
  heading
    .trim()
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');

/** The articles, by their anchors. */
const articles = new Map(
  read('alarms.md')
    .split(/^## /m)
    .slice(1)
    .map((article): [string, string] => {
      const [heading = '', ...lines] = article.split('\n');
      return [anchorOf(heading), lines.join('\n').split(/^# /m)[0] ?? ''];
    }),
);

describe('alarms and articles', () => {
  it('are the same set, in both directions and in the same order', () => {
    expect([...articles.keys()]).toEqual(ALARM_ENTRIES.map(([name]) => name));
    for (const [name] of ALARM_ENTRIES) expect(runbookOf(name)).toBe(`docs/operations/alarms.md#${name}`);
  });

  it.each([...articles])(
    '%s says what it means, how to look, what to do and how to verify',
    (_name, text) => {
      const parts = ['Means', 'Look', 'Do', 'Verify'];
      expect([...text.matchAll(/^\*\*(\w+)\*\* \S/gm)].map(([, part]) => part)).toEqual(parts);
      expect(text).toMatch(/^```sh\n/m);
    },
  );

  it('has the thresholds that the registry has', () => {
    const said = (name: string, text: string) => expect(articles.get(name)).toContain(text);
    for (const [name, { threshold }] of ALARM_ENTRIES) {
      if (typeof threshold !== 'number' || threshold < 1) continue;
      const shown = threshold % (1024 * 1024) === 0 ? `${threshold / 1024 / 1024} MB` : null;
      const minutes = name === 'outbox-age' ? 'two minutes' : null;
      if (name === 'cache-miss-rate') said(name, 'one read in five');
      else said(name, shown ?? minutes ?? threshold.toLocaleString('en'));
    }
  });
});

const FILES = readdirSync(FOLDER).filter((file) => file.endsWith('.md'));

interface Block {
  readonly at: string;
  readonly code: string;
}

const blocks: readonly Block[] = FILES.flatMap((file) => {
  const text = read(file);
  return [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(({ 1: code = '', index }) => ({
    at: `${file}:${text.slice(0, index).split('\n').length}`,
    code,
  }));
});

/** Also those within a sentence. */
const commands = FILES.flatMap((file) =>
  [...read(file).matchAll(/npm run (cutover) -- ([^`\n#]+)/g)].map(({ 2: args = '' }) => ({
    file,
    args: args.trim(),
  })),
);

const scripts = Object.keys(JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')).scripts);

/** The command line's, as its main file adds them. */
let known: readonly Command[];

beforeAll(async () => {
  const main = readFileSync(path.join(ROOT, 'scripts/cutover.ts'), 'utf8');
  const found = [...main.matchAll(/^import \{ (\w+Command) \} from '\.\/([\w-]+\.ts)';$/gm)];
  known = await Promise.all(
    found.map(async ([, name = '', file = '']) => {
      const module: Record<string, Command> = await import(path.join(ROOT, 'scripts', file));
      const command = module[name];
      if (!command) throw new Error(`${file} has no ${name}`);
      return command;
    }),
  );
});

describe('the commands of the runbooks', () => {
  it('are there to be looked at', () => {
    expect(blocks.length).toBeGreaterThan(30);
    expect(commands.length).toBeGreaterThan(20);
  });

  it.each(blocks.map(({ at, code }) => [at, code]))('%s is what a shell understands', (_at, code) => {
    execFileSync('bash', ['-n'], { input: code });
  });

  it('a shell does not understand what is broken', () => {
    expect(() =>
      execFileSync('bash', ['-n'], { input: 'if red; then', stdio: ['pipe', 'ignore', 'ignore'] }),
    ).toThrow();
  });

  it('are scripts of the package', () => {
    const used = FILES.flatMap((file) =>
      [...read(file).matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => name),
    );
    expect(used.filter((name) => !scripts.includes(name ?? ''))).toEqual([]);
  });

  it.each([...new Set(commands.map(({ args }) => args))])(
    'cutover %s is a command with these options',
    (args) => {
      const [name, ...rest] = args.split(/\s+/);
      const found = known.find((each) => each.name() === name);
      expect(found?.name()).toBe(name);
      // As `rollout start`, whose options are its own.
      const command = found?.commands.find((each) => each.name() === rest[0]) ?? found;
      if (found && found.commands.length > 0) expect(command?.name()).toBe(rest[0]);
      const options = command?.options.flatMap(({ long, short }) => [long, short]) ?? [];
      const used = rest.filter((arg) => arg.startsWith('-')).map((arg) => arg.split('=')[0]);
      expect(used.filter((option) => !options.includes(option))).toEqual([]);
    },
  );
});

describe('the links of the runbooks', () => {
  const links = FILES.flatMap((file) =>
    [...read(file).matchAll(/\]\(([^)]+)\)/g)].map(({ 1: target = '' }) => [file, target] as const),
  ).filter(([, target]) => !/^https?:/.test(target));

  it.each(links)('%s: %s leads somewhere', (file, target) => {
    const [relative = '', anchor] = target.split('#');
    const text = readFileSync(path.resolve(FOLDER, relative || file), 'utf8');
    const anchors = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading));
    if (anchor) expect(anchors).toContain(anchor);
  });
});

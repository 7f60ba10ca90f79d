import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { buildPackage } from '../../lib/package.ts';

const temporary = mkdtempSync(path.join(os.tmpdir(), 'test-package-'));
const folder = path.join(temporary, 'package');

beforeAll(() => buildPackage(folder));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

const read = (name: string) => readFileSync(path.join(folder, name), 'utf8');
const manifest = JSON.parse(readFileSync(path.resolve(import.meta.dirname, '../../package.json'), 'utf8'));

test('each entry point of package.json is there, with its types', () => {
  const built = JSON.parse(read('package.json'));
  expect(Object.keys(built.exports)).toEqual(Object.keys(manifest.exports));
  for (const { types, default: module } of Object.values<Record<string, string>>(built.exports)) {
    expect(read(types ?? '')).toMatch(/^export /m);
    expect(read(module ?? '')).toMatch(/^export /m);
  }
});

test('an importer gets the dependencies that the modules import, and no others', () => {
  const { dependencies } = JSON.parse(read('package.json'));
  expect(Object.keys(dependencies)).toEqual(expect.arrayContaining(['@redis/client', 'lru-cache']));
  for (const absent of ['aws-cdk-lib', 'constructs', 'commander', 'express', 'esbuild', 'tsx']) {
    expect(dependencies).not.toHaveProperty([absent]);
  }
  expect(dependencies['@redis/client']).toBe(`^${manifest.dependencies['@redis/client']}`);
});

test('no module and no declaration imports a source file', () => {
  const modules = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.[jt]s$/.test(name),
  );
  expect(modules.length).toBeGreaterThan(20);
  expect(modules.filter((name) => /(from|import)\s*\(?\s*['"]\.[^'"]*\.ts['"]/.test(read(name)))).toEqual([]);
});

import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FUNCTION_ENVIRONMENT } from '../../lambda/contract/environment.ts';
import { contentsOf } from './support/contents.ts';

const ROOT = path.resolve(import.meta.dirname, '..', '..');
const cdkJson = JSON.parse(readFileSync(path.join(ROOT, 'cdk.json'), 'utf8'));

/** Of this process's environment only what a program needs to start: no credentials, no profile, no region. */
const { PATH } = process.env;
const NOBODY = { PATH, HOME: '/nonexistent', AWS_EC2_METADATA_DISABLED: 'true' };

/** Runs the command of `cdk.json` as the CDK command line does, without what that does before and after. */
async function runApp(outdir: string, stage: string): Promise<void> {
  const [command = '', ...args] = String(cdkJson.app).split(' ');
  await promisify(execFile)(command, args, {
    cwd: ROOT,
    env: {
      ...NOBODY,
      CDK_CONTEXT_JSON: JSON.stringify({ ...cdkJson.context, stage }),
      CDK_OUTDIR: outdir,
      CDK_VALIDATION: 'false',
    },
  });
}

const temporary: string[] = [];
afterAll(() => {
  for (const folder of temporary) rmSync(folder, { recursive: true });
});

function newFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'cutover-app-'));
  temporary.push(folder);
  return folder;
}

describe('the CDK app', () => {
  const outdir = newFolder();

  it('refuses a stage that does not exist', async () => {
    await expect(runApp(outdir, 'prod')).rejects.toThrow(
      'stages: stage is "prod"; it must be one of dev, staging, production',
    );
  });

  describe('for dev, with nobody’s credentials,', () => {
    beforeAll(() => runApp(outdir, 'dev'));

    it('writes the four templates', () => {
      const templates = readdirSync(outdir).filter((file) => file.endsWith('.template.json'));
      expect(templates.sort()).toEqual([
        'Cutover-Dev-Data.template.json',
        'Cutover-Dev-Network.template.json',
        'Cutover-Dev-Operations.template.json',
        'Cutover-Dev-Service.template.json',
      ]);
    });

    it('writes the same every time, byte for byte, bundles and manifests of assets included', async () => {
      const another = newFolder();
      await runApp(another, 'dev');
      const contents = contentsOf(outdir);
      expect(Object.keys(contents).filter((file) => file.endsWith('index.mjs'))).not.toEqual([]);
      expect(contents).toEqual(contentsOf(another));
    });

    it('deploys the bundles of the functions, source maps included', () => {
      const manifest = JSON.parse(readFileSync(path.join(outdir, 'Cutover-Dev-Service.assets.json'), 'utf8'));
      const assets: { source: { path: string; packaging: string } }[] = Object.values(manifest.files);
      const bundles = assets
        .filter(({ source }) => source.packaging === 'zip')
        .map(({ source }) => readdirSync(path.join(outdir, source.path)))
        .filter((files) => files.includes('index.mjs'));
      // This stage has no rollout, and so none of its functions.
      const names = Object.keys(FUNCTION_ENVIRONMENT).filter((name) => !name.startsWith('rollout-'));
      expect(bundles).toHaveLength(names.length);
      for (const files of bundles) expect(files).toContain('index.mjs.map');
    });
  });
});

import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FUNCTION_ENVIRONMENT } from '../../lambda/contract/environment.ts';

const ROOT = path.resolve(import.meta.dirname, '..', '..');
const cdkJson = JSON.parse(readFileSync(path.join(ROOT, 'cdk.json'), 'utf8'));

/** Runs the command of `cdk.json` as the CDK command line does, without what that does before and after. */
async function runApp(outdir: string, stage: string): Promise<void> {
  const [command = '', ...args] = String(cdkJson.app).split(' ');
  await promisify(execFile)(command, args, {
    cwd: ROOT,
    env: {
      ...process.env,
      CDK_CONTEXT_JSON: JSON.stringify({ ...cdkJson.context, stage }),
      CDK_OUTDIR: outdir,
      CDK_VALIDATION: 'false',
    },
  });
}

describe('the CDK app', () => {
  const outdir = mkdtempSync(path.join(tmpdir(), 'cutover-app-'));
  afterAll(() => rmSync(outdir, { recursive: true }));

  it('refuses a stage that does not exist', async () => {
    await expect(runApp(outdir, 'prod')).rejects.toThrow(
      'stages: stage is "prod"; it must be one of dev, staging, production',
    );
  });

  describe('for dev', () => {
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

    it('deploys the bundles of the functions, source maps included', () => {
      const manifest = JSON.parse(readFileSync(path.join(outdir, 'Cutover-Dev-Service.assets.json'), 'utf8'));
      const assets: { source: { path: string; packaging: string } }[] = Object.values(manifest.files);
      const bundles = assets
        .filter(({ source }) => source.packaging === 'zip')
        .map(({ source }) => readdirSync(path.join(outdir, source.path)))
        .filter((files) => files.includes('index.mjs'));
      expect(bundles).toHaveLength(Object.keys(FUNCTION_ENVIRONMENT).length);
      for (const files of bundles) expect(files).toContain('index.mjs.map');
    });
  });
});

import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { build } from 'esbuild';
import { CHROMIUM } from './support/chromium.ts';
import { looking } from './support/looking.ts';

const PAGE = path.resolve(import.meta.dirname, '../../rehearsal/console/page');
const inBrowser = CHROMIUM ? describe : describe.skip;
const look = looking();

inBrowser('a rendering', () => {
  test('comes at once, then at most twice a second, and shows what came last', async () => {
    const { page } = await look.console('passed');
    const contents =
      "import { createSchedule } from './schedule.ts'; window.createSchedule = createSchedule;";
    const { outputFiles } = await build({
      ...{ stdin: { contents, resolveDir: PAGE }, bundle: true, format: 'iife', write: false },
    });
    await page.evaluate(`${outputFiles[0]?.text} null`);
    const run: { asked: number; rendered: number[]; milliseconds: number } =
      await page.evaluate(`(async () => {
      const run = { asked: 0, rendered: [] };
      const ask = createSchedule(() => run.rendered.push(run.asked));
      const begin = performance.now();
      for (; run.asked < 60; await new Promise((resolve) => setTimeout(resolve, 20))) {
        run.asked += 1;
        ask();
      }
      while (run.rendered.at(-1) < run.asked) await new Promise((resolve) => setTimeout(resolve, 20));
      return { ...run, milliseconds: performance.now() - begin };
    })()`);
    expect(run.rendered.at(-1)).toBe(60);
    expect(run.rendered.length).toBeGreaterThan(1);
    expect(run.rendered.length).toBeLessThanOrEqual(1 + run.milliseconds / 500);
  });
});

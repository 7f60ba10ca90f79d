import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, test } from '@jest/globals';
import { reportPage } from '../../rehearsal/console/report-page.ts';
import { cannedSource, type Moment } from './support/canned-source.ts';
import { CHROMIUM } from './support/chromium.ts';
import { faults, looking } from './support/looking.ts';

const inBrowser = CHROMIUM ? describe : describe.skip;
const look = looking();
const folder = mkdtempSync(path.join(os.tmpdir(), 'test-report-'));

afterAll(() => rmSync(folder, { recursive: true }));

async function reportOf(moment: Moment): Promise<string> {
  const source = cannedSource(moment);
  const file = path.join(folder, `${moment}.html`);
  writeFileSync(file, await reportPage({ state: source.state(), samples: source.samples() }));
  return pathToFileURL(file).href;
}

inBrowser('report.html', () => {
  test('shows the end of a rehearsal, from one file and nothing else', async () => {
    const page = await look.page(await reportOf('failed'));
    expect(await page.locator('#connection').textContent()).toMatch(/^frozen at 2026-05-20 \d\d:31:00$/);
    expect(await page.locator('#safety').textContent()).toBe('NOT SAFE to go on');
    expect(await page.locator('#stale-heading').textContent()).toBe('23 stale reads');
    expect(await page.locator('#facts').textContent()).toBe('statusfailedelapsed1:00 of 1:30');
    expect(await page.locator('.plot:visible canvas').count()).toBe(3);
    expect(await page.evaluate("performance.getEntriesByType('resource').length")).toBe(0);
    expect(await faults(page)).toEqual([]);
  });

  test('of a moment with something to do has nothing to press', async () => {
    const page = await look.page(await reportOf('running'));
    expect(await page.locator('button:visible').count()).toBe(0);
  });
});

import { describe, expect, test } from '@jest/globals';
import { CHROMIUM } from './support/chromium.ts';
import { faults, looking, PHONE } from './support/looking.ts';

const inBrowser = CHROMIUM ? describe : describe.skip;
const look = looking();

inBrowser('axe finds nothing serious', () => {
  test.each([
    ['running', 'in light', {}],
    ['passed', 'in light', {}],
    ['failed', 'in dark', { colorScheme: 'dark' }],
    ['running', 'on a phone, in dark', { viewport: PHONE, colorScheme: 'dark' }],
  ] as const)('of a rehearsal that has the status %s, %s', async (moment, _, context) => {
    const { page } = await look.console(moment, context);
    for (const summary of await page.locator('summary:visible').all()) await summary.click();
    expect(await faults(page)).toEqual([]);
  });

  test('in a dialog', async () => {
    const { page } = await look.console('running');
    await page.locator('[data-action=roll-back]').click();
    expect(await faults(page)).toEqual([]);
  });

  test('and would find what is wrong', async () => {
    const { page } = await look.console('running');
    await page.evaluate("document.getElementById('where-text').style.color = '#9a6a20'");
    expect(await faults(page)).toEqual(['color-contrast: #where-text']);
  });
});

import { describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { ACTIONS, type ActionName } from '../../rehearsal/console/contract.ts';
import { CHROMIUM } from './support/chromium.ts';
import { looking, PHONE } from './support/looking.ts';

const inBrowser = CHROMIUM ? describe : describe.skip;
const look = looking();

const text = (page: Page, selector: string) => page.locator(selector).textContent();
/** Waits until a part of the page says this. */
const says = (page: Page, selector: string, wanted: string | RegExp) =>
  page.locator(selector).filter({ hasText: wanted }).first().waitFor();

inBrowser('what it shows', () => {
  test('is the state, from the safety line to the log', async () => {
    const { page, source } = await look.console('running');
    const { totals } = source.state();
    expect(await text(page, 'h1')).toBe('Cutover rehearsal v2, seed 7');
    expect(await text(page, '#facts')).toMatch(/^statusrunningelapsed0:3\d of 1:30$/);
    expect(await text(page, '#safety')).toBe('WAIT, do not go on yet');
    expect(await text(page, '#safety-text')).toBe(source.state().safety.text);
    expect(await text(page, '#where')).toBe('Stage 2 of 4: 25 %');
    expect(await page.title()).toBe('WAIT, do not go on yet: Stage 2 of 4: 25 % (rehearsal v2, seed 7)');
    expect(await page.locator('.stage').evaluateAll(statusOf)).toEqual(['passed', 'current', 'next', 'next']);
    expect(await text(page, '[aria-current=step]')).toMatch(/^25 %now$/);
    expect(await text(page, '.bar-labels')).toBe('legacy 75 %serverless 25 %');
    expect(await text(page, '#machine')).toMatch(/^State machine: Observe, for 0:0\d$/);
    expect(await text(page, '#stale-heading')).toBe('0 stale reads');
    expect(await page.locator('#totals dd').allTextContents()).toEqual(
      [totals.requests, 0, 0, totals.writes ?? 0].map((value) => value.toLocaleString('en')),
    );
    expect(await page.locator('.alarm-name').count()).toBe(source.state().alarms.length);
    expect(await page.locator('#log li').count()).toBe(source.state().log.length);
    expect(await text(page, '#log li:first-child')).toBe('0:2925 %: weight set');
  });

  test('in charts is said in words, too, and as tables', async () => {
    const { page, source } = await look.console('running');
    const labels = await page.locator('.plot:visible').evaluateAll(labelOf);
    expect(labels).toEqual([
      expect.stringMatching(/^Requests, per second\. Now: legacy \d+, serverless \d+$/),
      expect.stringMatching(/^Hit rate, .+ Now: legacy \(K\) \d+, serverless \(v2:\) \d+$/),
      expect.stringMatching(
        /^Latency of hits, ms, logarithmic\. Now: legacy p95 [\d.]+, .+ serverless p50 [\d.]+$/,
      ),
    ]);
    expect(await page.locator('.plot:visible canvas').count()).toBe(3);
    const last = source.samples().at(-1)?.backends;
    const legend = page.locator('.legend strong').first();
    expect(await legend.textContent()).toBe(`${last?.legacy.requests}`);
    // Of the moment under the mouse.
    await page
      .locator('.plot')
      .first()
      .hover({ position: { x: 45, y: 90 } });
    expect(await legend.textContent()).toBe(`${source.samples()[0]?.backends.legacy.requests}`);
    await page.locator('figure summary').first().click();
    await page.locator('figure tbody').waitFor();
    expect(await page.locator('figure tbody tr:first-child > *').allTextContents()).toEqual(
      ['0:37', last?.legacy.requests, last?.serverless.requests].map(String),
    );
    expect(await page.locator('#mark-legend li').allTextContents()).toEqual(['◆flush', '▲weight changed']);
    await page.getByText('What was marked when').click();
    expect(await page.locator('#marks tbody tr').count()).toBe(4);
  });

  test('of a failed stage says why, and which reads were stale', async () => {
    const { page, source } = await look.console('failed');
    expect(await text(page, '#safety')).toBe('NOT SAFE to go on');
    expect(await text(page, '#where')).toBe('Stage 3 of 4 (50 %) failed');
    expect(await page.locator('.reasons li').allTextContents()).toEqual([
      ...(source.state().stages[2]?.reasons ?? []),
    ]);
    expect(await text(page, '#stale-heading')).toBe('23 stale reads');
    expect(await text(page, '#stale-last li:first-child')).toMatch(
      /serverless read version 6 of mocs:user:31:list 41 ms after legacy's version 7 was acknowledged$/,
    );
    expect(await page.locator('.stale-reads li').count()).toBe(source.state().stale.length);
    expect(await text(page, '#alarms li:first-child')).toMatch(/^ALARM/);
    expect(await page.locator('#actions').isVisible()).toBe(false);
  });

  test('of a deployed stage has the time of day, and no figures that nobody measures', async () => {
    const { page } = await look.stage({ timezoneId: 'UTC' });
    expect(await text(page, '#title')).toBe('stage production');
    expect(await text(page, '#machine')).toMatch(/^State machine: Observe, for \d+:\d\d$/);
    expect(await page.locator('.plot').first().getAttribute('aria-label')).toMatch(
      /Now: legacy not measured, serverless \d+$/,
    );
    expect(await page.locator('#totals dd').allTextContents()).toContain('not measured');
    expect(await page.locator('#actions').isVisible()).toBe(false);
  });

  test('follows what changes, and only what somebody counts is a number', async () => {
    const { page, source } = await look.console('running');
    const { totals, log } = source.state();
    const first = await page.locator('#log li').last().elementHandle();
    source.change({
      ...{
        safety: { level: 'safe', text: '25 % passed' },
        weights: { legacy: 0, serverless: 1 },
        machine: null,
      },
      totals: { ...totals, lostSessions: null, errors5xx: 3 },
      log: [...log, { at: source.state().at, level: 'warning', text: 'something new' }],
    });
    await says(page, '#safety', 'SAFE to go on');
    expect(await text(page, '#where-text')).toBe('serverless carries 100 % of the traffic');
    expect(await text(page, '#totals')).toContain('not measured');
    expect(await text(page, '#totals .bad')).toBe('3');
    expect(await text(page, '#log li:first-child')).toBe('0:38warning something new');
    // A screen reader hears the new line, and not all of them again.
    expect(await first?.evaluate(({ isConnected }: { isConnected: boolean }) => isConnected)).toBe(true);
  });

  test('is text, whatever somebody named a key', async () => {
    const { page, source } = await look.console('failed');
    const key = '<img src=x onerror="document.title=1">';
    source.change({
      title: key,
      stale: source.state().stale.map((read) => ({ ...read, key })),
      log: [{ at: 0, level: 'error', text: key }],
      alarms: [{ name: key, state: 'alarm', reason: key }],
      stages: [{ name: key, status: 'failed', reasons: [key] }],
      marks: [{ at: source.state().at, kind: 'fault', text: key }],
    });
    await says(page, '#title', key);
    for (const part of ['#stale-last', '#log', '#alarms', '#stages'])
      expect(await text(page, part)).toContain(key);
    expect(await page.locator('img').count()).toBe(0);
  });

  test('fits a phone without scrolling to the side', async () => {
    for (const moment of ['running', 'failed'] as const) {
      const { page } = await look.console(moment, { viewport: PHONE });
      for (const summary of await page.locator('summary:visible').all()) await summary.click();
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(PHONE.width);
    }
  });
});

inBrowser('actions', () => {
  const NAMES = Object.keys(ACTIONS) as ActionName[];

  test('are each confirmed, done, and answered, by keyboard alone', async () => {
    const { page, source } = await look.console('running');
    source.change({ actions: NAMES });
    await page.locator('[data-action=resume]').waitFor();
    const works = NAMES.filter((name) => name !== 'slow-redis');
    for (const name of works) {
      await page.locator(`[data-action=${name}]`).focus();
      await page.keyboard.press('Enter');
      expect(await text(page, '#action-question')).toBe(`${ACTIONS[name]}?`);
      expect(await text(page, '#action-effect')).toMatch(/\w.+What you should see: \w/);
      // Enter alone does nothing yet.
      expect(await text(page, ':focus')).toBe('Cancel');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await says(page, '#action-answer', `${ACTIONS[name]}: ${name} is done`);
      expect(await page.locator(':focus').getAttribute('data-action')).toBe(name);
    }
    expect(source.acted).toEqual(works);
  });

  test('are not done when somebody thinks better of it', async () => {
    const { page, source } = await look.console('running');
    const button = page.locator('[data-action=roll-back]');
    await button.click();
    await page.keyboard.press('Escape');
    await button.click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    expect(await page.locator(':focus').getAttribute('data-action')).toBe('roll-back');
    await page.locator('[data-action=flush]').click();
    await page.getByRole('button', { name: 'Confirm' }).click();
    await says(page, '#action-answer', 'Flush now: flush is done');
    expect(source.acted).toEqual(['flush']);
  });

  test('that fail say why', async () => {
    const { page } = await look.console('running');
    await page.locator('[data-action=slow-redis]').click();
    await page.getByRole('button', { name: 'Confirm' }).click();
    await says(page, '[role=alert]', 'Slow Redis down: rehearsal: freeze-redis is still in');
    expect(look.complaints()).toEqual([expect.stringContaining('500')]);
  });

  test('are those that can be asked for now, and who was on one that goes is not lost', async () => {
    const { page, source } = await look.console('running');
    expect(await page.locator('[data-action]:visible').count()).toBe(source.state().actions.length);
    await page.locator('[data-action=pause]').focus();
    source.change({ actions: ['resume'] });
    await page.locator('[data-action=resume]').waitFor();
    expect(await page.locator('[data-action]:visible').allTextContents()).toEqual(['Resume']);
    expect(await page.locator(':focus').getAttribute('id')).toBe('actions-heading');
  });
});

const statusOf = (items: Attributes[]) => items.map((item) => item.getAttribute('data-status'));
const labelOf = (items: Attributes[]) => items.map((item) => item.getAttribute('aria-label'));

/** What is asked of an element here: these tests are checked without the browser's types. */
interface Attributes {
  getAttribute(name: string): string | null;
}

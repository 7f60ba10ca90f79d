import { describe, expect, test } from '@jest/globals';
import { CHROMIUM } from './support/chromium.ts';
import { startKillable } from './support/killable.ts';
import { looking } from './support/looking.ts';

const inBrowser = CHROMIUM ? describe : describe.skip;
const look = looking();

inBrowser('a connection', () => {
  test('that breaks is said, keeps what was shown, and is taken up again', async () => {
    const server = await startKillable('running');
    const page = await look.page(server.url);
    await page.locator('#connection', { hasText: 'live' }).waitFor();
    const requests = await page.locator('#totals dd').first().textContent();

    await server.kill();
    await page.locator('#connection', { hasText: 'reconnecting' }).waitFor();
    await page
      .locator('#safety-text', { hasText: /^No connection, nothing heard for .+ Before that: / })
      .waitFor();
    expect(await page.locator('#safety').textContent()).toBe('WAIT, do not go on yet');
    expect(await page.locator('#totals dd').first().textContent()).toBe(requests);
    expect(await page.locator('.plot:visible').count()).toBe(3);

    await page.locator('[data-action=flush]').click();
    await page.getByRole('button', { name: 'Confirm' }).click();
    await page.locator('[role=alert]', { hasText: 'Flush now: the console does not answer' }).waitFor();

    await startKillable('failed', Number(new URL(server.url).port));
    await page.locator('#connection', { hasText: 'live' }).waitFor();
    await page.locator('#safety', { hasText: 'NOT SAFE' }).waitFor();
    await page.locator('figure summary').first().click();
    await page.locator('figure tbody').waitFor();
    const times = await page.locator('figure tbody th').allTextContents();
    expect(times).toEqual(Array.from({ length: 10 }, (_, row) => `0:${59 - row}`));
    const complaints = look.complaints();
    expect(complaints.length).toBeGreaterThan(0);
    expect(complaints.filter((text) => !/net::ERR_(CONNECTION_REFUSED|INCOMPLETE|EMPTY)/.test(text))).toEqual(
      [],
    );
  });

  test('that breaks makes nothing safe: what was is no longer known', async () => {
    const server = await startKillable('passed');
    const page = await look.page(server.url);
    await page.locator('#safety', { hasText: /^DONE/ }).waitFor();
    await server.kill();
    await page.locator('#safety', { hasText: 'WAIT' }).waitFor();
    expect(await page.locator('#safety-text').textContent()).toContain('Before that: SAFE to go on');
    look.complaints();
  });

  test('that the server ends leaves the last state, and nothing to press', async () => {
    const { page, source, server } = await look.console('running');
    source.change({ status: 'passed', safety: { level: 'safe', text: 'all stages passed' } });
    await server.close();
    await page.locator('#connection', { hasText: 'ended' }).waitFor();
    await page.locator('#safety', { hasText: /^DONE, all is well$/ }).waitFor();
    expect(await page.locator('#actions').isVisible()).toBe(false);
  });
});

inBrowser('a tab that nobody sees', () => {
  test('shows nothing new until somebody looks', async () => {
    const { page, source } = await look.console('running');
    await page.evaluate(`
      Object.defineProperty(document, 'hidden', { value: true, configurable: true });
      window.told = new Promise((resolve) => new EventSource('/events').addEventListener('state',
        ({ data }) => JSON.parse(data).title === 'another' && resolve()));
      null`);
    source.change({ title: 'another' });
    // Both of this page's connections are told at once; then more than a rendering's time passes.
    await page.evaluate('window.told.then(() => new Promise((resolve) => setTimeout(resolve, 1200)))');
    expect(await page.locator('#title').textContent()).toBe('rehearsal v2, seed 7');

    await page.evaluate(`
      Object.defineProperty(document, 'hidden', { value: false });
      document.dispatchEvent(new Event('visibilitychange'));`);
    await page.locator('#title', { hasText: 'another' }).waitFor();
  });
});

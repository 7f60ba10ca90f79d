import { afterAll, afterEach, beforeAll, expect } from '@jest/globals';
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { ConsoleSource } from '../../../rehearsal/console/contract.ts';
import { type Console, startConsole } from '../../../rehearsal/console/server.ts';
import { type CannedSource, cannedSource, type Moment } from './canned-source.ts';
import { cannedStage } from './canned-stage.ts';
import { CHROMIUM, launchChromium } from './chromium.ts';

/** As most who look have it. */
const DESKTOP = { width: 1280, height: 900 };
export const PHONE = { width: 360, height: 780 };

export interface Looking {
  /** A page on a console of its own; closed after the test, which fails if the browser complains of the page. */
  console(
    moment: Moment,
    context?: BrowserContextOptions,
  ): Promise<{ page: Page; source: CannedSource; server: Console }>;
  /** The page of a deployed stage: minutes, not seconds, and nothing to do. */
  stage(context?: BrowserContextOptions): Promise<{ page: Page }>;
  page(url: string, context?: BrowserContextOptions): Promise<Page>;
  /** What the browser complained of so far; taken from what fails the test. */
  complaints(): readonly string[];
}

/** One browser for a test file. */
export function looking(): Looking {
  let browser: Browser;
  let servers: Console[] = [];
  const complaints: string[] = [];

  beforeAll(async () => {
    if (CHROMIUM) browser = await launchChromium();
  });
  afterAll(() => browser?.close());
  afterEach(async () => {
    await Promise.all(browser?.contexts().map((context) => context.close()) ?? []);
    await Promise.all(servers.map((server) => server.close()));
    servers = [];
    expect(complaints.splice(0)).toEqual([]);
  });

  const page = async (url: string, context: BrowserContextOptions = {}) => {
    const opened = await browser.newPage({ viewport: DESKTOP, reducedMotion: 'reduce', ...context });
    opened.setDefaultTimeout(15_000);
    opened.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    opened.on('pageerror', (error) => complaints.push(error.message));
    await opened.goto(url);
    await opened.locator('.stage').first().waitFor();
    return opened;
  };
  const serve = async (source: ConsoleSource) => {
    const server = await startConsole({ source });
    servers.push(server);
    return server;
  };
  return {
    page,
    async console(moment, context) {
      const source = cannedSource(moment);
      const server = await serve(source);
      return { page: await page(server.url, context), source, server };
    },
    async stage(context) {
      const { url } = await serve(cannedStage());
      return { page: await page(url, context) };
    },
    complaints: () => complaints.splice(0),
  };
}

/** What axe calls serious or critical, each as its rule and where. */
export async function faults(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const { violations }: axe.AxeResults = await page.evaluate("axe.run({ resultTypes: ['violations'] })");
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
}

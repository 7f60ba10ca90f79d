/** `SCREENSHOTS=1 npx jest test/browser/screenshots` renews the images of the documentation. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { test } from '@jest/globals';
import { looking } from './support/looking.ts';

const IMAGES = path.resolve(import.meta.dirname, '../../docs/images');
const PHONE = { width: 390, height: 844 };

const asked = process.env['SCREENSHOTS'] ? test : test.skip;
const look = looking();

asked.each([
  ['light', 'running', {}],
  ['dark', 'failed', { colorScheme: 'dark' }],
  ['phone', 'passed', { viewport: PHONE }],
] as const)('console-%s.png', async (name, moment, context) => {
  const { page, server } = await look.console(moment, context);
  // What has ended says so.
  if (moment !== 'running') await server.close();
  await page.locator('#connection', { hasText: moment === 'running' ? 'live' : 'ended' }).waitFor();
  mkdirSync(IMAGES, { recursive: true });
  const { width, height } = page.viewportSize() ?? PHONE;
  // Down to the charts; what comes then, alarms and log, are lists.
  const end = (await page.locator('.columns').boundingBox())?.y ?? height;
  const clip = { x: 0, y: 0, width, height: name === 'phone' ? height : end };
  await page.screenshot({ path: path.join(IMAGES, `console-${name}.png`), fullPage: true, clip });
});

import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { type Browser, chromium } from 'playwright-core';

/** The first of these on the PATH; `scripts/setup.mjs --browser` installs one where it can. */
const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** The browser's program, or undefined where there is none: what needs it is skipped then. */
export const CHROMIUM = NAMES.map(onPath).find((file) => file !== undefined);
if (!CHROMIUM) {
  process.stderr.write(
    `skipped: tests of pages need a browser, and none of ${NAMES.join(', ')} is on the PATH\n`,
  );
}

/** A browser without a window. */
export function launchChromium(): Promise<Browser> {
  if (!CHROMIUM) throw new Error(`chromium: none of ${NAMES.join(', ')} is on the PATH`);
  // Chromium's sandbox refuses to be started by root, as in a container.
  return chromium.launch({ executablePath: CHROMIUM, chromiumSandbox: process.getuid?.() !== 0 });
}

function onPath(name: string): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(path.delimiter)
    .map((folder) => path.join(folder, name))
    .find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

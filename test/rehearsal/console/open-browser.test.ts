import { expect, test } from '@jest/globals';
import { hasDesktop } from '../../../rehearsal/console/open-browser.ts';

const at = { platform: 'linux', env: { DISPLAY: ':0' }, stdout: { isTTY: true } } as const;

test.each([
  [true, 'a desktop', at],
  [true, 'Wayland', { ...at, env: { WAYLAND_DISPLAY: 'wayland-0' } }],
  [true, 'a Mac', { ...at, platform: 'darwin', env: {} }],
  [false, 'a server', { ...at, env: {} }],
  [false, 'an SSH session', { ...at, env: { ...at.env, SSH_CONNECTION: '1' } }],
  [false, 'CI', { ...at, env: { ...at.env, CI: 'true' } }],
  [false, 'a pipe', { ...at, stdout: {} }],
] as const)('%s: %s', (expected, _where, process) => {
  expect(hasDesktop(process)).toBe(expected);
});

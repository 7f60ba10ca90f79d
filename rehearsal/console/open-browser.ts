/** Opens an address where there is a desktop and somebody at it; elsewhere, and where that fails, does nothing. */
export async function openBrowser(url: string): Promise<void> {
  if (!hasDesktop(process)) return;
  try {
    const { default: open } = await import('open');
    const opening = await open(url);
    opening.on('error', () => {});
    opening.unref();
  } catch {
    // The address was printed.
  }
}

/** Whether somebody sits at this machine. */
export function hasDesktop({
  env,
  platform,
  stdout,
}: Pick<NodeJS.Process, 'env' | 'platform'> & { readonly stdout: { readonly isTTY?: boolean } }): boolean {
  if (!stdout.isTTY || env['CI'] || env['SSH_CONNECTION'] || env['SSH_TTY']) return false;
  if (platform === 'darwin' || platform === 'win32') return true;
  return Boolean(env['DISPLAY'] || env['WAYLAND_DISPLAY']);
}

/**
 * Does something when the process is told to end, and ends it then. Lambda tells it only where an extension is registered, and leaves
 * it half a second; elsewhere what is not done yet stays undone.
 */
export function beforeTheEnd(end: () => void): void {
  process.once('SIGTERM', () => {
    end();
    // As it would have ended without us.
    process.kill(process.pid, 'SIGTERM');
  });
}

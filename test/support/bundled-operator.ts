/** The operator as it is deployed: its bundle, in a process of its own that stays, as a warm sandbox does. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll } from '@jest/globals';
import { bundleFunction } from '../../lib/bundle.ts';
import { ownWorkspace } from './servers.ts';

const SANDBOX = `
process.on('message', async ({ bundle, event, remainingMs }) => {
  try {
    const { handler } = await import(bundle);
    process.send({ report: await handler(event, { getRemainingTimeInMillis: () => remainingMs }) });
  } catch ({ name, message }) {
    process.send({ error: { name, message } });
  }
});
`;

const running = new Set<ChildProcess>();
afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
});

/** What it answers a payload with, one after the other; what the handler throws is thrown, by its name and message. */
export async function bundledOperator(
  environment: Record<string, string>,
): Promise<(payload: unknown) => Promise<unknown>> {
  const bundle = path.join(bundleFunction('operator'), 'index.mjs');
  const script = path.join((await ownWorkspace()).folder, 'sandbox.mjs');
  writeFileSync(script, SANDBOX);
  const child = fork(script, {
    env: environment,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    execArgv: [],
  });
  running.add(child);
  return async (event) => {
    child.send({ bundle, event, remainingMs: 90_000 });
    const [{ report, error }] = (await once(child, 'message')) as [
      { report?: unknown; error?: { name: string; message: string } },
    ];
    if (error) throw Object.assign(new Error(error.message), { name: error.name });
    return report;
  };
}

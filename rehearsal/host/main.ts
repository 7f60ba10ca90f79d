import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { runChild, serveParent } from '../child.ts';
import { createHost, type Handler } from './host.ts';
import { believeEverybody } from './login-gate.ts';

/** The host as a process: runs the bundle in the folder that its argument names, with the environment it has. */
await runChild(async () => {
  const [, , folder = ''] = process.argv;
  const bundle: { handler: Handler } = await import(pathToFileURL(path.join(folder, 'index.mjs')).href);
  serveParent(createHost(bundle.handler, { gates: [believeEverybody] }));
});

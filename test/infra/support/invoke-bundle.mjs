/** As a process of its own: imports the bundle of a folder, as Lambda does, and has it answer one event. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [, , folder] = process.argv;

process.once('message', async ({ event, timeLeftMs }) => {
  const end = Date.now() + timeLeftMs;
  const context = {
    functionName: path.basename(folder),
    functionVersion: '7',
    awsRequestId: '00000000-0000-4000-8000-000000000000',
    getRemainingTimeInMillis: () => Math.max(0, end - Date.now()),
  };
  const told = {};
  try {
    const { handler } = await import(pathToFileURL(path.join(folder, 'index.mjs')).href);
    told.kind = typeof handler;
    told.result = await handler(event, context);
  } catch ({ name, message }) {
    told.error = { name, message };
  }
  process.send({ node: process.versions.node, ...told }, () => process.exit());
});

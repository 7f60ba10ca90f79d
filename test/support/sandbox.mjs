/** As a process of its own: imports the bundle of a folder once, as a sandbox of Lambda does, and answers one event after the other. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [, , folder] = process.argv;
const imported = import(pathToFileURL(path.join(folder, 'index.mjs')).href);

process.on('message', async ({ id, event, timeLeftMs }) => {
  const end = Date.now() + timeLeftMs;
  const context = { getRemainingTimeInMillis: () => Math.max(0, end - Date.now()) };
  try {
    const { handler } = await imported;
    process.send({ id, result: await handler(event, context) });
  } catch ({ name, message }) {
    process.send({ id, error: { name, message } });
  }
});

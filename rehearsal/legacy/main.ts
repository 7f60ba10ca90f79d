import { createServer } from 'node:http';
import { createClient } from 'redis';
import { createPool } from '../../lambda/database/pool.ts';
import { mirror } from '../../lambda/mirror/mirror.ts';
import { runChild, serveParent } from '../child.ts';
import { legacyApp } from './app.ts';

/** The legacy backend as a process: REDIS_URL, DATABASE_URL, NODE_ENV, and MIRROR=off for the naive rehearsal. */
await runChild(async () => {
  const { REDIS_URL: url = '', DATABASE_URL: databaseUrl = '', NODE_ENV: env = '', MIRROR } = process.env;
  const client = createClient({ url });
  client.on('error', (error) => console.error('legacy: redis', error));
  await client.connect();
  // The one line that a legacy backend adds.
  const redis = MIRROR === 'off' ? client : mirror(client, { env });
  const database = createPool({ url: databaseUrl, applicationName: 'legacy-express' });
  serveParent(createServer(legacyApp({ redis, database })));
});

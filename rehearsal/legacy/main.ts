import { createServer } from 'node:http';
import { createClient } from 'redis';
import { phaseOf } from '../../lambda/cache/phase.ts';
import { createPool } from '../../lambda/database/pool.ts';
import { mirror } from '../../lambda/mirror/mirror.ts';
import { runChild, serveParent } from '../child.ts';
import { legacyApp } from './app.ts';
import { createLegacyStores } from './stores.ts';

/**
 * The legacy backend as a process: REDIS_URL, REDIS_TWINS_URL, REDIS_STATE_URL, DATABASE_URL, NODE_ENV, the switches of its sessions' phase, and MIRROR=off
 * for the naive rehearsal.
 */
await runChild(async () => {
  const { DATABASE_URL: databaseUrl = '', NODE_ENV: env = '', MIRROR } = process.env;
  const variables = ['REDIS_URL', 'REDIS_TWINS_URL', 'REDIS_STATE_URL'];
  const [client, twins, state] = await Promise.all(variables.map(connect));
  if (!client || !twins || !state) throw new Error('legacy: no client');
  // The one line that a legacy backend adds, and a second user where its own may not touch the serverless backend's entries.
  const redis = MIRROR === 'off' ? client : mirror(client, { env, twins });
  const database = createPool({ url: databaseUrl, applicationName: 'legacy-express' });
  const stores = createLegacyStores({
    send: (command) => state.sendCommand([...command]),
    ...{ database, phase: phaseOf(process.env), env },
  });
  serveParent(createServer(legacyApp({ redis, database, stores })));
});

function connect(variable: string) {
  // A command that waits for Redis to come back keeps its user waiting, too.
  const client = createClient({ url: process.env[variable] ?? '', disableOfflineQueue: true });
  client.on('error', (error) => console.error('legacy: redis', error));
  return client.connect();
}

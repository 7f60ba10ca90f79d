/** A command for the tests to kill: opens servers, says so line by line, and never ends by itself. */
import { startPostgres } from '../../../rehearsal/servers/postgres.ts';
import { startRedis } from '../../../rehearsal/servers/redis.ts';
import { openWorkspace } from '../../../rehearsal/servers/workspace.ts';

const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
setInterval(() => {}, 60_000);

const workspace = await openWorkspace();
say({ folder: workspace.folder });
const redis = await startRedis(workspace);
say({ port: redis.port, pid: redis.pid });
const postgres = await startPostgres(workspace);
say({ port: postgres.port, pid: postgres.pid });
say({ ready: true });

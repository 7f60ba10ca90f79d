/** `serve-canned.ts MOMENT [PORT]`: a console in a process of its own, to be killed. */
import { startConsole } from '../../../rehearsal/console/server.ts';
import { cannedSource, type Moment } from './canned-source.ts';

const [moment = 'running', port = '0'] = process.argv.slice(2);
const { url } = await startConsole({ source: cannedSource(moment as Moment), port: Number(port) });
process.stdout.write(`${url}\n`);

/**
 * The process of one cold start: imports a bundle, calls its handler where it may, and tells how long that took.
 * Measured from within, so that neither the fork nor the one who listens is part of it.
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { Handler } from '../../rehearsal/host/host.ts';
import { flagPath } from './paths.ts';

/** What the process tells. */
export interface ColdStart {
  /** Since the process began. */
  readonly startMs: number;
}

const [, , folder = '', until] = process.argv;

const { handler }: { handler: Handler } = await import(pathToFileURL(path.join(folder, 'index.mjs')).href);
if (until === 'answered') {
  const { statusCode, body, headers } = await handler(readOf(flagPath(0)));
  if (statusCode !== 200) throw new Error(`bench: the first answer is ${statusCode}: ${body}`);
  // The bare handler has no cache.
  const outcome = headers?.['x-cache'] ?? 'hit';
  if (outcome !== 'hit') throw new Error(`bench: the first answer is no hit, but a ${outcome}`);
}
// performance.now() counts from the start of the process.
const told: ColdStart = { startMs: performance.now() };
process.send?.(told);
process.once('disconnect', () => process.exit(0));

/** What handlers use of a GET's event. */
function readOf(rawPath: string): APIGatewayProxyEventV2 {
  const requestContext = { domainName: 'localhost', http: { method: 'GET', path: rawPath } };
  return {
    version: '2.0',
    rawPath,
    rawQueryString: '',
    headers: {},
    requestContext,
  } as APIGatewayProxyEventV2;
}

import { beforeTheEnd } from '../http/before-the-end.ts';
import { apiHandler } from '../http/wire.ts';

/** The serverless backend: answers HTTP API events. */
export const handler = await apiHandler(process.env, { atEnd: beforeTheEnd });

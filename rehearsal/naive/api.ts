import { beforeTheEnd } from '../../lambda/http/before-the-end.ts';
import { apiHandler } from '../../lambda/http/wire.ts';
import { createNaiveCache } from './cache.ts';

/** The serverless backend with the plain cache; everything else is what is deployed. */
export const handler = await apiHandler(process.env, { create: createNaiveCache, atEnd: beforeTheEnd });

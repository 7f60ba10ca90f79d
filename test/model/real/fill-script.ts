import { createHash } from 'node:crypto';
import type { PhysicalKey } from '../../../lambda/cache/keyspace.ts';
import { drawToken } from '../../../lambda/cache/lease.ts';
import { fillCommand } from '../../../lambda/cache/redis-store.ts';

const anyKey = 'any' as PhysicalKey;
const [, script] = fillCommand({ leaseAt: anyKey, home: anyKey, token: drawToken(), value: '', expiry: [] });

/** The script of a fill, and the name by which Redis knows it. */
export const FILL = String(script);
export const FILL_SHA = createHash('sha1').update(FILL).digest('hex');

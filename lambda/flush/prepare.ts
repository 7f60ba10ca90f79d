import { randomUUID } from 'node:crypto';
import { CLAIM } from '../cache/claim.ts';
import { ConfigurationError } from '../contract/errors.ts';
import { ErrorReply } from '../redis/raw/raw-connection.ts';
import type { Server } from './pass/servers.ts';
import type { FlushPlan } from './plan/plan.ts';

/**
 * Under another name a flush would leave the keys of `cw:{env}:` where they are.
 * @throws ConfigurationError when the Redis is in use under another NODE_ENV.
 */
export async function requireSameEnvironment(
  {
    connection,
    clustered,
  }: { readonly connection: Pick<Server['connection'], 'send'>; readonly clustered: boolean },
  env: string,
  origin = 'flush',
): Promise<void> {
  const claimed = await connection.send(['GET', CLAIM]).catch(elsewhere(clustered));
  if (claimed === null || String(claimed) === env) return;
  throw new ConfigurationError(
    `${origin}: NODE_ENV=${env}, but this Redis is in use under ${String(claimed)}; set NODE_ENV=${String(claimed)}, or DEL ${CLAIM} when it is out of date`,
  );
}

/**
 * Asks for the deletion of keys that nobody has, one for each pattern and namespace, so that who may not delete, or a replica,
 * refuses before anything is deleted.
 * @throws ErrorReply as Redis refuses.
 */
export async function requirePermission({ connection, clustered }: Server, plan: FlushPlan): Promise<void> {
  const nobodys = plan.flush.flatMap((pattern) => {
    const [beginning = ''] = /^[^*?[\\]*/.exec(pattern) ?? [];
    return plan.namespaces.map((namespace) => `${namespace}${beginning}${randomUUID()}`);
  });
  await Promise.all(nobodys.map((key) => connection.send(['UNLINK', key]).catch(elsewhere(clustered))));
}

/** In a cluster the key may be another server's. */
const elsewhere =
  (clustered: boolean) =>
  (error: unknown): null => {
    if (clustered && error instanceof ErrorReply && /^MOVED /.test(error.message)) return null;
    throw error;
  };

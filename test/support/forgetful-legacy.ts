import { createServer } from 'node:http';
import { createPool } from '../../lambda/database/pool.ts';
import { hashOf, isSameHash, newSecret, type Session } from '../../lambda/stores/session-record.ts';
import { runChild, serveParent } from '../../rehearsal/child.ts';
import { legacyApp } from '../../rehearsal/legacy/app.ts';
import type { LegacyStores } from '../../rehearsal/legacy/sessions.ts';
import { clientOf } from '../integration/legacy-service/service.ts';

/**
 * A legacy backend that no migration should begin with: no mirror, sessions in its own memory, and a logout that forgets to end them.
 * A rehearsal has to find each of the three.
 */
await runChild(async () => {
  const { DATABASE_URL: url = '', REDIS_URL: redisUrl = '' } = process.env;
  const redis = clientOf(redisUrl);
  await redis.connect();
  const database = createPool({ url, applicationName: 'forgetful-legacy' });
  serveParent(createServer(legacyApp({ redis, database, stores: forgetful() })));
});

function forgetful(): LegacyStores {
  const known = new Map<string, Session>();
  const tokens = new Map<string, string>();
  return {
    sessions: {
      async begin({ userId, role, data = {} }) {
        const [id, csrfToken] = [newSecret(), newSecret()];
        const expiresAtMs = Date.now() + 3600 * 1000;
        const session: Session = { hash: hashOf(id), userId, role, data, version: 1, expiresAtMs };
        known.set(session.hash, session);
        return { id, csrfToken, session, invalidation: 'done' };
      },
      async resolve(id) {
        const session = known.get(hashOf(id));
        return session ? { kind: 'live', session, source: 'redis' } : { kind: 'none', why: 'unknown' };
      },
      revoke: async () => ({ invalidation: 'done' }),
    },
    csrf: {
      remember: async ({ hash }, token) => void tokens.set(hash, token),
      verify: async ({ hash }, token) => (isSameHash(tokens.get(hash) ?? '', token) ? 'accepted' : 'refused'),
    },
  };
}

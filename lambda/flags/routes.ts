import { type Context, Hono } from 'hono';
import { etag, RETAINED_304_HEADERS } from 'hono/etag';
import { FLAGS_SCOPE } from '../contract/flag-routes.ts';
import { ProblemError } from '../contract/problem.ts';
import { requireScope } from '../request/authorization.ts';
import { parseId } from '../request/id.ts';
import { limitBody, readText } from '../request/json-body.ts';
import { show } from '../request/show.ts';
import type { FlagAnswer } from './last-good.ts';
import { parseFlag, parseKey, parseOverridePatch, parsePatch } from './schema.ts';
import type { Author, Flags, SeenFlag, Target, Written } from './service.ts';

const PATCH_TYPES = ['application/merge-patch+json', 'application/json'];

/** `/api/config/flags`: what everybody may read. */
export function flagRoutes(flags: Flags): Hono {
  const routes = new Hono();
  routes.use(etag({ retainedHeaders: [...RETAINED_304_HEADERS, 'x-cache', 'x-backend'] }));

  routes.get('/', async (c) => {
    if (c.req.query('userId') !== undefined) {
      throw new ProblemError(
        400,
        'userId is asked of one flag at a time: GET /api/config/flags/{flagKey}?userId=',
      );
    }
    return answer(c, await flags.all());
  });

  routes.get('/:flagKey', async (c) => {
    const { value, outcome } = await flags.one(keyOf(c), userOf(c));
    // What is marked stale has other bytes, and so a tag of its own, which is made of them.
    if (outcome !== 'stale') c.header('etag', value.etag);
    return answer(c, { value: bodyOf(value), outcome });
  });

  return routes;
}

/** `/api/admin/flags`: what a token of the scope may change. */
export function flagAdminRoutes(flags: Flags): Hono {
  const routes = new Hono();

  routes.post('/', limitBody, async (c) => {
    const author = authorOf(c);
    if (userOf(c) !== undefined) {
      throw new ProblemError(
        400,
        'userId is not for a new flag: POST it for everybody, then PATCH it with ?userId=',
      );
    }
    const written = await flags.create(parseFlag(await readText(c)), author);
    c.header('location', `/api/config/flags/${written.value.flag.key}`);
    return acknowledge(c, written, 201);
  });

  routes.patch('/:flagKey', limitBody, async (c) => {
    const author = authorOf(c);
    const target = targetOf(c);
    const text = await readText(c, PATCH_TYPES);
    const written = isForUser(target)
      ? await flags.patchOverride(target, parseOverridePatch(text), author)
      : await flags.patch(target.key, parsePatch(text), author);
    return acknowledge(c, written, 200);
  });

  routes.delete('/:flagKey', async (c) => {
    const author = authorOf(c);
    const target = targetOf(c);
    const invalidation = isForUser(target)
      ? await flags.removeOverride(target, author)
      : await flags.remove(target.key, author);
    c.header('x-invalidation', invalidation);
    return c.body(null, 204);
  });

  return routes;
}

const keyOf = (c: Context) => parseKey(c.req.param('flagKey') ?? '');

function userOf(c: Context): string | undefined {
  const [userId, ...more] = c.req.queries('userId') ?? [];
  if (more.length > 0) throw new ProblemError(400, `userId ${show(more.join())} is given more than once`);
  return userId === undefined ? undefined : parseId('userId', userId);
}

const targetOf = (c: Context) => ({ key: keyOf(c), userId: userOf(c) });
const isForUser = (target: { key: string; userId: string | undefined }): target is Target =>
  target.userId !== undefined;

const authorOf = (c: Context): Author => ({
  by: requireScope(c, FLAGS_SCOPE),
  ifMatch: c.req.header('if-match'),
});

const bodyOf = ({ flag, override }: SeenFlag) => (override ? { ...flag, overridden: true } : flag);

function answer(c: Context, { value, outcome }: FlagAnswer<object>) {
  c.header('x-cache', outcome);
  c.header('cache-control', 'no-cache');
  return c.json(outcome === 'stale' ? { ...value, stale: true } : value);
}

function acknowledge(c: Context, { value, invalidation }: Written<SeenFlag>, status: 200 | 201) {
  c.header('x-invalidation', invalidation);
  c.header('etag', value.etag);
  return c.json(bodyOf(value), status);
}

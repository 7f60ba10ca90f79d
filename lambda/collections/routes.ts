import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { MAX_BODY_BYTES, parseBody, parseId, parseOwner, requireJson, tooLarge } from './schema.ts';
import type { Collections, Written } from './service.ts';

const owned = (c: Context) =>
  parseOwner({ userId: c.req.param('userId') ?? '', collection: c.req.param('collection') ?? '' });

const itemId = (c: Context) => parseId('itemId', c.req.param('itemId') ?? '');

const acknowledge = (c: Context, { invalidation }: Written) => c.header('x-invalidation', invalidation);

/** `/api/users/{userId}/{collection}`, and `/{itemId}` below it. */
export function collectionRoutes(collections: Collections): Hono {
  const routes = new Hono();

  routes.get('/:userId/:collection', async (c) => {
    const { value, outcome } = await collections.list(owned(c));
    c.header('x-cache', outcome);
    return c.json(value);
  });

  routes.put(
    '/:userId/:collection/:itemId',
    bodyLimit({ maxSize: MAX_BODY_BYTES, onError: tooLarge }),
    async (c) => {
      const owner = owned(c);
      const id = itemId(c);
      requireJson({
        contentType: c.req.header('content-type'),
        contentEncoding: c.req.header('content-encoding'),
      });
      const written = await collections.put(owner, { id, data: parseBody(await c.req.text()) });
      acknowledge(c, written);
      return c.json({ id, version: written.version });
    },
  );

  routes.delete('/:userId/:collection/:itemId', async (c) => {
    const written = await collections.remove(owned(c), itemId(c));
    acknowledge(c, written);
    return c.json({ version: written.version });
  });

  return routes;
}

import { type Context, Hono } from 'hono';
import { parseId } from '../request/id.ts';
import { limitBody, readText } from '../request/json-body.ts';
import { parseBody, parseOwner } from './schema.ts';
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

  routes.put('/:userId/:collection/:itemId', limitBody, async (c) => {
    const owner = owned(c);
    const id = itemId(c);
    const written = await collections.put(owner, { id, data: parseBody(await readText(c)) });
    acknowledge(c, written);
    return c.json({ id, version: written.version });
  });

  routes.delete('/:userId/:collection/:itemId', async (c) => {
    const written = await collections.remove(owned(c), itemId(c));
    acknowledge(c, written);
    return c.json({ version: written.version });
  });

  return routes;
}

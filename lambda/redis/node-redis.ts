/**
 * What we use of node-redis, by file: its index brings pools, clusters and sentinels, which nobody here has, and took a
 * cold start 13 ms and the bundle 80 KB. Its version is pinned.
 */
import client from '@redis/client/dist/lib/client/index.js';

export {
  ConnectionTimeoutError,
  ErrorReply,
  SocketClosedUnexpectedlyError,
} from '@redis/client/dist/lib/errors.js';
export { RESP_TYPES } from '@redis/client/dist/lib/RESP/decoder.js';

type Class = typeof client.default;

/**
 * The class itself: `createClient` gives it a method for each of 400 commands first, which took a cold start another
 * 35 ms. The file is CommonJS: Node and bundles see all that it exports, Jest's transform its default.
 */
export const RedisClient: Class = client.default ?? (client as unknown as Class);

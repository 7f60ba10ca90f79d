import type { Family } from '../../lambda/contract/families.ts';

/** A family of tagged entries, loaded from the rows of `mocs` of a user. */
export const QUERY: Family = {
  name: 'query',
  kind: 'cache',
  onFlush: 'flush',
  ttlSeconds: 60,
  tagSources: [{ table: 'mocs', tagTemplate: 'user:{user_id}' }],
};

/** The migrations in their order, by name: for who asks which were applied, and needs not what they do. */
export const MIGRATION_NAMES = [
  '0001-collections',
  '0002-outbox',
  '0003-feature-flags',
  '0004-classroom',
  '0005-coverage',
] as const;
export type MigrationName = (typeof MIGRATION_NAMES)[number];

import { project, servers } from './jest.config.mjs';

/** What takes an hour: `npm run test:deep`. */
export default {
  projects: [project('deep', ['<rootDir>/test/**/deep/*.test.ts'], servers)],
  testTimeout: 30_000,
  maxWorkers: 2,
};

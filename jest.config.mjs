const folder = (name) => `<rootDir>/test/${name}/**/*.test.ts`;

/** Minutes long: jest.deep.config.mjs. */
const DEEP = ['<rootDir>/node_modules', '<rootDir>/test/.*/deep/'];

export const project = (displayName, testMatch, options = {}) => ({
  displayName,
  testMatch,
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  transform: { '\\.[mc]?[jt]s$': ['@swc/jest', { jsc: { target: 'es2023' } }] },
  // jose comes as ES modules only.
  transformIgnorePatterns: ['/node_modules/(?!jose/)'],
  modulePathIgnorePatterns: ['<rootDir>/cdk.out', '<rootDir>/dist'],
  ...options,
});

export const servers = {
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
};

export default {
  projects: [
    project('unit', ['<rootDir>/test/*.test.ts', ...['lambda', 'model', 'scripts', 'support'].map(folder)], {
      ...servers,
      testPathIgnorePatterns: DEEP,
    }),
    project('integration', ['bench', 'integration', 'rehearsal'].map(folder), {
      ...servers,
      testPathIgnorePatterns: DEEP,
    }),
    project('infra', ['lib', 'infra'].map(folder)),
    project('browser', [folder('browser')]),
  ],
  testTimeout: 30_000,
  // Half of the tests wait for servers and for time to pass: four of them keep two cores busy.
  maxWorkers: 4,
  // A worker keeps something of each file that it has run, and a full heap makes the next ones several times slower.
  workerIdleMemoryLimit: '500MB',
};

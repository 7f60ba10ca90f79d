const folder = (name) => `<rootDir>/test/${name}/**/*.test.ts`;

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
    project(
      'unit',
      ['<rootDir>/test/*.test.ts', ...['lambda', 'model', 'scripts', 'support'].map(folder)],
      // Minutes long: jest.deep.config.mjs.
      { ...servers, testPathIgnorePatterns: ['<rootDir>/node_modules', '<rootDir>/test/.*/deep/'] },
    ),
    project('integration', ['bench', 'integration', 'rehearsal'].map(folder), servers),
    project('infra', ['lib', 'infra'].map(folder)),
  ],
  testTimeout: 30_000,
  // Half of the tests wait for servers: by default Jest leaves one of two cores to nobody.
  maxWorkers: 2,
  // A worker keeps something of each file that it has run, and a full heap makes the next ones several times slower.
  workerIdleMemoryLimit: '500MB',
};

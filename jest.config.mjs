const project = (displayName, testMatch) => ({
  displayName,
  testMatch,
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  transform: { '\\.[mc]?[jt]s$': ['@swc/jest', { jsc: { target: 'es2023' } }] },
  modulePathIgnorePatterns: ['<rootDir>/cdk.out', '<rootDir>/dist'],
});

const infra = ['<rootDir>/test/lib/**/*.test.ts', '<rootDir>/test/infra/**/*.test.ts'];
const integration = ['<rootDir>/test/integration/**/*.test.ts', '<rootDir>/test/rehearsal/**/*.test.ts'];
const unit = ['lambda', 'scripts', 'support'].map((folder) => `<rootDir>/test/${folder}/**/*.test.ts`);

export default {
  projects: [project('unit', unit), project('integration', integration), project('infra', infra)],
  testTimeout: 30_000,
};

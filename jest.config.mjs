const SWC = {
  jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
  // As Node.js does it: the default import of a CommonJS package is its module.exports.
  module: { type: 'commonjs', importInterop: 'node' },
}

/** @type {import('jest').Config} */
export default {
  testEnvironment: '<rootDir>/scripts/test-environment.mjs',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', SWC],
    'ssh2/lib/protocol/crypto\\.js$': '<rootDir>/test/helpers/mended-ssh2.mjs',
  },
  transformIgnorePatterns: ['/node_modules/(?!ssh2/lib/protocol/crypto\\.js$)'],
  // Those have runs of their own: test/engines/jest.config.mjs, test/shim/jest.config.mjs.
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/engines/', '<rootDir>/test/shim/'],
  // The sources import './x.js' (what Node.js runs after the build); under jest those are TypeScript files.
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  testTimeout: 60_000,
  // Not the temporary folder: each run has its own, and is told off for what is left in it.
  cacheDirectory: '<rootDir>/node_modules/.cache/jest',
}

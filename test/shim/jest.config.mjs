import base from '../../jest.config.mjs'

/**
 * The container shim: built once for all files, and run in many places. Minutes, root, and packages from npm's registry
 * and a mirror of Debian. Not a part of `npm test`.
 * @type {import('jest').Config}
 */
export default {
  ...base,
  rootDir: '../..',
  roots: ['<rootDir>/test/shim'],
  testPathIgnorePatterns: ['/node_modules/'],
  globalSetup: '<rootDir>/test/shim/build-once.mjs',
  testTimeout: 180_000,
}

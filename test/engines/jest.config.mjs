import base from '../../jest.config.mjs'

/**
 * Real clusters: minutes, root, and packages from a mirror. Not a part of `npm test`.
 * @type {import('jest').Config}
 */
export default {
  ...base,
  rootDir: '../..',
  roots: ['<rootDir>/test/engines'],
  testPathIgnorePatterns: ['/node_modules/'],
}

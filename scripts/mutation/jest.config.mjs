import base from '../../jest.config.mjs'

const [[, [, swc]]] = Object.entries(base.transform)

/** @type {import('jest').Config} */
export default {
  ...base,
  rootDir: '../..',
  testEnvironment: '<rootDir>/scripts/mutation/environment.mjs',
  transform: { ...base.transform, '^.+\\.ts$': ['<rootDir>/scripts/mutation/transform.mjs', swc] },
  cacheDirectory: '<rootDir>/node_modules/.cache/mutation',
}

import { isOlder, withoutFixesSince } from '../../../src/core/node-releases.js'

const NOW = new Date('2026-11-28T12:00:00Z')

test.each([
  ['24.22.3', undefined],
  ['v20.19.0', '2026-04-30'],
  ['18.20.8', '2025-04-30'],
  ['12.0.0', '2023-09-11'],
  ['99.0.0', undefined],
])('Node.js %s had its last fixes before %s', (version, since) => {
  expect(withoutFixesSince(version, NOW)).toBe(since)
})

test('a version has fixes until the day of its end', () => {
  expect(withoutFixesSince('24.22.3', new Date('2028-04-29T23:59:59Z'))).toBeUndefined()
  expect(withoutFixesSince('24.22.3', new Date('2028-04-30T00:00:00Z'))).toBe('2028-04-30')
})

test.each([
  ['24.9.0', '24.10.0', true],
  ['24.10.0', '24.9.0', false],
  ['24.22.3', 'v24.22.3', false],
  ['v22.99.0', '24.0.0', true],
])('%s is older than %s: %s', (version, other, expected) => {
  expect(isOlder(version, other)).toBe(expected)
})

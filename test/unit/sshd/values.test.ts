import { parseSize, parseTime, toMilliseconds } from '../../../src/sshd/values.js'

describe('values', () => {
  it.each([
    ['90', 90],
    ['1m30', 90],
    ['1h30m', 5_400],
    ['1W', 604_800],
    ['0', 0],
    ['', undefined],
    ['1x', undefined],
    ['-1', undefined],
    ['99999999999', undefined],
  ])('the time %j', (text, seconds) => {
    expect(parseTime(text)).toBe(seconds)
  })

  it.each([
    ['16', 16],
    ['1k', 1_024],
    ['4G', 4_294_967_296],
    ['1T', undefined],
    ['', undefined],
    ['999999999999999G', undefined],
  ])('the size %j', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes)
  })

  it('never make a timer that fires at once', () => {
    expect(toMilliseconds(10)).toBe(10_000)
    expect(toMilliseconds(2 ** 31 - 1)).toBe(2 ** 31 - 1)
  })
})

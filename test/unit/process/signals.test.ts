import { signalName, signalNumber, signalStatus } from '../../../src/process/signals.js'

describe('signals', () => {
  it.each([
    ['TERM', 15],
    ['RTMIN', 34],
    ['RTMIN+3', 37],
    ['RTMIN+30', 64],
  ])('%s has the number %i', (name, number) => {
    expect(signalNumber(name)).toBe(number)
    expect(signalName(number)).toBe(name)
  })

  it.each(['NOSUCH@example.org', 'constructor', 'SIGTERM', 'RTMIN+31', ''])('%j is none', (name) => {
    expect(signalNumber(name)).toBeUndefined()
  })

  it('that end a process make its exit status 128 and their number, or 128 where they have none', () => {
    expect(signalStatus('KILL')).toBe(137)
    expect(signalStatus('RTMIN+3')).toBe(165)
    expect(signalStatus('NOSUCH@example.org')).toBe(128)
  })
})

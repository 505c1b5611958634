import { closeSync, constants, readFileSync } from 'node:fs'
import { openPty, type Pty } from '../../../src/process/pty.js'
import { readSize } from '../../../src/process/termios.js'

const size = { columns: 90, rows: 30, width: 900, height: 600 }
const flagsOf = (descriptor: number): number => {
  const [, octal = '0'] =
    /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8')) ?? []
  return Number.parseInt(octal, 8)
}
const O_CLOEXEC = 0o2000000

describe('a pseudo-terminal', () => {
  let pty: Pty
  beforeEach(() => {
    pty = openPty(size)
  })
  afterEach(() => {
    for (const descriptor of [pty.master, pty.slave]) closeSync(descriptor)
  })

  it("is opened by node-pty's addon, which has a build for this system", () => {
    const report: unknown = process.report.getReport()
    expect(report).toMatchObject({
      sharedObjects: expect.arrayContaining([expect.stringMatching(/\/pty\.node$/)]),
    })
  })

  it('has a master that does not block, a slave that does, and no child gets either', () => {
    expect(flagsOf(pty.master) & (constants.O_NONBLOCK | O_CLOEXEC)).toBe(constants.O_NONBLOCK | O_CLOEXEC)
    expect(flagsOf(pty.slave) & (constants.O_NONBLOCK | O_CLOEXEC)).toBe(O_CLOEXEC)
    expect(pty.name).toMatch(/^\/dev\/pts\/\d+$/)
  })

  it('has the size that it is given, as far as the kernel can have it', () => {
    expect(readSize(pty.slave)).toMatchObject({ columns: 90, rows: 30 })
    pty.resize(size)
    expect(readSize(pty.slave)).toEqual(size)
    pty.resize({ columns: 1e9, rows: 1.5, width: Number.NaN, height: -1 })
    expect(readSize(pty.slave)).toEqual({ columns: 0xffff, rows: 1, width: 0, height: 0 })
  })
})

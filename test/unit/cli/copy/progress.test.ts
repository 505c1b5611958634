import { PassThrough } from 'node:stream'
import { drawProgress, formatBytes } from '../../../../src/cli/copy/progress.js'
import { until } from '../../../helpers/bytes.js'

/** A terminal of 200 columns, and what was written to it. */
function terminal(columns = 200) {
  const written: string[] = []
  const stream = new PassThrough()
  stream.on('data', (chunk: Buffer) => void written.push(chunk.toString()))
  return {
    stream: Object.assign(stream, { isTTY: true, columns }),
    text: () => written.join(''),
    lines: () => written.filter((part) => part.startsWith('[')),
  }
}

describe('the progress line', () => {
  it('has bar, share, bytes, rate, time left and name, and ends with all of it', async () => {
    const { stream, lines, text } = terminal()
    const line = drawProgress(stream, 1024 * 1024)
    line.update(256 * 1024, 'data')
    line.update(512 * 1024, 'data')
    await until(() => lines().some((drawn) => drawn.includes(' 50%')))
    expect(lines().at(-1)).toMatch(
      /^\[={10} {10}\] {2}50% {2}512 KiB of 1\.0 MiB {2}[\d.]+ [KM]?i?B\/s {2}(-|\d+s) left {2}data$/,
    )
    line.update(1024 * 1024, 'last')
    line.finish()
    expect(lines().at(-1)).toMatch(/^\[={20}\] 100% {2}1\.0 MiB of 1\.0 MiB .* 0s left {2}last$/)
    expect(text()).toMatch(/\n$/)
  })

  it('does not count what was there before into the rate', () => {
    const { stream, lines } = terminal()
    const line = drawProgress(stream, 1000)
    line.update(900, 'resumed')
    line.finish()
    expect(lines().at(-1)).toContain('  0 B/s  ')
  })

  it('is no wider than the terminal, and shows no control characters of a name', () => {
    const { stream, lines } = terminal(90)
    const line = drawProgress(stream, 1000)
    line.update(500, `\x1b[2J${'x'.repeat(200)}`)
    line.finish()
    expect(lines().at(-1)).toHaveLength(90)
    expect(lines().at(-1)).toContain('?[2Jxxx')
  })

  it('writes what is said above it, also at the very end', async () => {
    const { stream, text } = terminal()
    const line = drawProgress(stream, 0)
    line.say('one')
    await until(() => text().includes('one'))
    expect(text()).toMatch(/one\n[^\n]*100%/)
    line.say('two')
    line.finish()
    expect(text()).toMatch(/two\n[^\n]*100%[^\n]*\n$/)
  })

  it('has units for people', () => {
    expect([0, 999, 1000, 1024, 102_400, 1e9].map(formatBytes)).toEqual([
      '0 B',
      '999 B',
      '1.0 KiB',
      '1.0 KiB',
      '100 KiB',
      '954 MiB',
    ])
  })
})

import { PassThrough } from 'node:stream'
import { createLineEditor } from '../../../../src/cli/terminal/line-editor.js'

/** A screen that nobody looks at. */
const screen = (): PassThrough => new PassThrough().resume()

describe('a line that is typed', () => {
  it.each([
    [['-X 0:1\x1b[1~\x1b[C\x1b[C\x7fL\r']],
    [['-X 0:1', '\x1b[1~\x1b[C\x1b[C\x7f', 'L\r']],
    [['-X 0:1\x1b', '[1~\x1b[C\x1b[C\x7fL', '\r']],
  ])('is the same however its keys come: %j', async (pieces) => {
    const reader = createLineEditor(screen()).read('> ')
    for (const piece of pieces) reader.push(Buffer.from(piece))
    expect(await reader.line).toBe('-L 0:1')
  })

  it('may have characters of several bytes', async () => {
    const reader = createLineEditor(screen()).read('> ')
    reader.push(Buffer.from('äö€\r'))
    expect(await reader.line).toBe('äö€')
  })
})

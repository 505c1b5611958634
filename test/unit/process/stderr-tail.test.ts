import { COMMAND_STDERR_BYTES } from '../../../src/core/limits.js'
import { StderrTail } from '../../../src/process/stderr-tail.js'

describe('the tail of stderr', () => {
  it('is all of it as long as that is short, also where a character comes in two parts', () => {
    const tail = new StderrTail()
    expect(tail.text()).toBe('')
    for (const byte of Buffer.from('zu groß\n')) tail.add(Buffer.from([byte]))
    expect(tail.text()).toBe('zu groß\n')
  })

  it('is the last of what is longer, in one piece or in many', () => {
    const tail = new StderrTail()
    tail.add(Buffer.alloc(3 * COMMAND_STDERR_BYTES, 'a'))
    expect(tail.text()).toBe('a'.repeat(COMMAND_STDERR_BYTES))
    tail.add(Buffer.from('the reason'))
    expect(tail.text()).toBe(`${'a'.repeat(COMMAND_STDERR_BYTES - 10)}the reason`)
  })
})

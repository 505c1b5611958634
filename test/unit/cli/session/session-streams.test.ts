import { once } from 'node:events'
import { PassThrough, Readable, Writable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { copyInput, copyKeys, copyOutput } from '../../../../src/cli/session/session-streams.js'
import { createEscapeParser, type EscapeCommand } from '../../../../src/cli/terminal/escapes.js'
import { deferred } from '../../../../src/core/deferred.js'

/** A writable that keeps what it gets. */
function sink(): { stream: Writable; text: () => string } {
  const chunks: Buffer[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk)
      done()
    },
  })
  return { stream, text: () => Buffer.concat(chunks).toString() }
}

describe('copying the output', () => {
  it('copies all of it, and leaves our own output open', async () => {
    const local = sink()
    await expect(copyOutput(Readable.from([Buffer.from('a'), Buffer.from('b')]), local.stream)).resolves.toBe(
      true,
    )
    expect(local.text()).toBe('ab')
    expect(local.stream.writableEnded).toBe(false)
  })

  it('closes the remote output when nobody reads ours, and calls that no error', async () => {
    const remote = new PassThrough()
    const local = new Writable({
      write(_chunk, _encoding, done) {
        done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
      },
    })
    remote.write('never read')
    await expect(copyOutput(remote, local)).resolves.toBe(false)
    expect(remote.destroyed).toBe(true)
  })

  it('fails with the error of a full disk', async () => {
    const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    const local = new Writable({ write: (_chunk, _encoding, done) => done(full) })
    await expect(copyOutput(Readable.from([Buffer.from('x')]), local)).rejects.toMatchObject({
      message: "What the job sends can't be written: no space left on device (ENOSPC).",
      cause: full,
    })
  })

  it('leaves it to the session to say why a remote output ended early', async () => {
    const remote = new PassThrough()
    const copied = copyOutput(remote, sink().stream)
    remote.destroy()
    await expect(copied).resolves.toBe(true)
  })
})

describe('copying the input', () => {
  it('stops quietly when the command reads no more', async () => {
    const local = new PassThrough()
    const remote = new PassThrough()
    copyInput(local, remote)
    remote.destroy()
    await once(remote, 'close')
    remote.emit('error', new Error('closed by the server'))
    local.write('unread')
    expect(local.destroyed).toBe(false)
  })

  it('ends the remote input when ours can not be read', async () => {
    const local = new PassThrough()
    const remote = sink()
    copyInput(local, remote.stream)
    local.destroy(new Error('EIO'))
    await once(remote.stream, 'finish')
    expect(remote.text()).toBe('')
  })
})

describe('copying what a person types', () => {
  it('takes the escapes out, and waits while the other side does not read', async () => {
    const local = new PassThrough()
    const taken: string[] = []
    const waiting: (() => void)[] = []
    const remote = new Writable({
      highWaterMark: 4,
      write(chunk: Buffer, _encoding, done) {
        taken.push(chunk.toString())
        waiting.push(done)
      },
    })
    const commands: EscapeCommand[] = []
    copyKeys(local, remote, createEscapeParser(0x7e), (command) => void commands.push(command))
    local.write('ls -l\r~?')
    await setImmediate()
    expect({ taken, commands, paused: local.isPaused() }).toEqual({
      taken: ['ls -l\r'],
      commands: ['help'],
      paused: true,
    })
    waiting.shift()?.()
    await setImmediate()
    expect(local.isPaused()).toBe(false)
    local.end('~~')
    await once(local, 'end')
    expect(taken).toEqual(['ls -l\r', '~'])
    const finish = once(remote, 'finish')
    waiting.shift()?.()
    await finish
  })

  it('lets the keys go to who asks for them, and those behind the end wait until that is done', async () => {
    const local = new PassThrough()
    const remote = new PassThrough()
    const taken: string[] = []
    const done = deferred<void>()
    const reader = {
      push(keys: Buffer) {
        const end = keys.indexOf('\r')
        taken.push(keys.subarray(0, end < 0 ? undefined : end).toString())
        return end < 0 ? undefined : keys.subarray(end + 1)
      },
      done: done.promise,
    }
    const commands: EscapeCommand[] = []
    copyKeys(local, remote, createEscapeParser(0x7e), (command) => {
      commands.push(command)
      return command === 'command-line' ? reader : undefined
    })
    local.write('ls\r~C-L 1')
    local.write(':2\rpwd\r~?')
    await setImmediate()
    expect({ taken, commands, remote: String(remote.read()) }).toEqual({
      taken: ['-L 1', ':2'],
      commands: ['command-line'],
      remote: 'ls\r',
    })
    done.resolve()
    await setImmediate()
    expect({ commands, remote: String(remote.read()) }).toEqual({
      commands: ['command-line', 'help'],
      remote: 'pwd\r',
    })
  })

  it('hears an escape behind the keys that another took, whatever ended those, and leaves what is in them alone', async () => {
    const local = new PassThrough()
    const remote = new PassThrough()
    const taken: string[] = []
    const commands: EscapeCommand[] = []
    let done = deferred<void>()
    copyKeys(local, remote, createEscapeParser(0x7e), (command) => {
      commands.push(command)
      if (command !== 'command-line') return undefined
      done = deferred<void>()
      const push = (keys: Buffer): Buffer | undefined => {
        const end = keys.indexOf(3)
        taken.push(keys.subarray(0, end < 0 ? undefined : end).toString())
        return end < 0 ? undefined : keys.subarray(end + 1)
      }
      return { push, done: done.promise }
    })
    local.write('\r~C')
    local.write('~.nonsense\x03')
    local.write('~')
    local.write('C~?\x03x')
    await setImmediate()
    done.resolve()
    await setImmediate()
    done.resolve()
    await setImmediate()
    expect({ taken, commands, remote: String(remote.read()) }).toEqual({
      taken: ['~.nonsense', '~?'],
      commands: ['command-line', 'command-line'],
      remote: '\rx',
    })
  })

  it('still hears an escape when the remote input has gone', async () => {
    const local = new PassThrough()
    const remote = new PassThrough()
    const commands: EscapeCommand[] = []
    copyKeys(local, remote, createEscapeParser(0x7e), (command) => void commands.push(command))
    remote.destroy()
    await once(remote, 'close')
    local.end('ls\r~.')
    await once(local, 'end')
    expect(commands).toEqual(['disconnect'])
  })
})

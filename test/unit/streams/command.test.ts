import { once } from 'node:events'
import fs from 'node:fs/promises'
import path from 'node:path'
import { PassThrough } from 'node:stream'
import { commandStream } from '../../../src/streams/command.js'
import { readAll } from '../../compliance/stream-behaviours.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

async function failureOf(argv: string[], options = {}): Promise<unknown> {
  const stream = commandStream(argv, options)
  stream.resume()
  const [error] = await once(stream, 'error')
  return error
}

/** Waits until a process is gone. */
async function gone(pid: number): Promise<void> {
  for (;;) {
    const state = await fs.readFile(`/proc/${pid}/stat`, 'utf8').catch(() => 'gone')
    if (state === 'gone' || / Z /.test(state)) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

describe('commandStream', () => {
  const directory = temporaryDirectory()

  it('carries what the command reads and writes', async () => {
    const stream = commandStream(['tr', 'a-z', 'A-Z'])
    stream.end('hello')
    await expect(readAll(stream)).resolves.toEqual(Buffer.from('HELLO'))
  })

  it('says which program is missing', async () => {
    await expect(failureOf(['no-such-program-here'])).resolves.toMatchObject({
      code: 'program-missing',
      message: 'no-such-program-here was not found: install it, or give its full path.',
    })
    await expect(failureOf([directory()])).resolves.toMatchObject({ code: 'spawn-failed' })
    expect(() => commandStream([])).toThrow(expect.objectContaining({ code: 'usage' }))
  })

  it('ends with what the command said, and how it ended', async () => {
    await expect(failureOf(['sh', '-c', 'echo no such container >&2; echo; exit 3'])).resolves.toMatchObject({
      code: 'connection-lost',
      message: 'The command that carries the connection, sh, ended with exit code 3: no such container.',
    })
    await expect(failureOf(['sh', '-c', 'kill -KILL $$'])).resolves.toMatchObject({
      message: 'The command that carries the connection, sh, was ended by SIGKILL.',
    })
  })

  it('tells a writer the same', async () => {
    const stream = commandStream(['sh', '-c', 'exec <&-; echo gone >&2; exit 4'])
    stream.on('error', () => undefined)
    stream.resume()
    const error = await new Promise((resolve) => {
      const write = (): void => {
        stream.write(Buffer.alloc(100_000), (failure) => (failure ? resolve(failure) : write()))
      }
      write()
    })
    expect(error).toMatchObject({
      code: 'connection-lost',
      message: expect.stringContaining('exit code 4: gone'),
    })
  })

  it('keeps no more of stderr than its end', async () => {
    const error = await failureOf([
      'sh',
      '-c',
      'yes xxxxxxxxx | head -c 1000000 >&2; echo the end >&2; exit 1',
    ])
    expect(error).toMatchObject({ message: expect.stringMatching(/the end\.$/) })
    expect(String(error).length).toBeLessThan(6_000)
  })

  it('passes stderr on where it is given a place', async () => {
    const stderr = new PassThrough()
    const stream = commandStream(['sh', '-c', 'echo a note >&2; cat'], { stderr })
    stream.end()
    await readAll(stream)
    expect(String(stderr.read())).toBe('a note\n')
    expect(stderr.writable).toBe(true)
  })

  it('ends the command with the stream, also one that ignores SIGTERM', async () => {
    const file = path.join(directory(), 'pid')
    const stream = commandStream([
      'sh',
      '-c',
      `trap '' TERM; echo $$ > ${file}; echo; while :; do sleep 0.1; done`,
    ])
    await once(stream, 'data')
    const pid = Number(await fs.readFile(file, 'utf8'))
    stream.destroy()
    await gone(pid)
  })

  it('lets the command tidy up, where it is given time for that', async () => {
    const file = path.join(directory(), 'tidied')
    const stream = commandStream(
      ['sh', '-c', `trap '' TERM; echo; cat >/dev/null; echo done > ${file}; mv ${file} ${file}.up`],
      { patienceMs: 60_000 },
    )
    await once(stream, 'data')
    stream.destroy()
    for (;;) {
      if ((await fs.readFile(`${file}.up`, 'utf8').catch(() => '')) === 'done\n') break
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })

  it('ends the processes of a command that has a group of its own', async () => {
    const file = path.join(directory(), 'child')
    const stream = commandStream(['sh', '-c', `sleep 1000 & echo $! > ${file}; echo; wait`], {
      ownGroup: true,
    })
    await once(stream, 'data')
    const child = Number(await fs.readFile(file, 'utf8'))
    const stat = await fs.readFile(`/proc/${child}/stat`, 'utf8')
    // pgrp and session, proc_pid_stat(5): not those of this process.
    const [, , group, session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    expect(group).toBe(session)
    stream.destroy()
    await gone(child)
  })

  it('lets the command know by its third descriptor that the stream is over', async () => {
    const file = path.join(directory(), 'let-go')
    const script = `trap '' TERM; echo; read -r line <&3; echo done > ${file}; mv ${file} ${file}.up`
    const stream = commandStream(['sh', '-c', script], { leash: true, patienceMs: 60_000 })
    await once(stream, 'data')
    stream.destroy()
    while ((await fs.readFile(`${file}.up`, 'utf8').catch(() => '')) !== 'done\n') {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })

  it('ends with its signal, also one that came before', async () => {
    const controller = new AbortController()
    const failed = failureOf(['cat'], { signal: controller.signal })
    controller.abort()
    await expect(failed).resolves.toMatchObject({ code: 'aborted' })
    await expect(failureOf(['cat'], { signal: AbortSignal.abort() })).resolves.toMatchObject({
      code: 'aborted',
    })
  })
})

import { once } from 'node:events'
import { silent } from '../../../src/core/log.js'
import type { SessionObserver } from '../../../src/server/observer.js'
import { showProcess } from '../../../src/server/show-process.js'
import { readAll, until, writeUntilStuck } from '../../helpers/bytes.js'
import { connectionPair } from '../../helpers/connection-pair.js'
import { startIn, testJob } from '../../helpers/job-session.js'
import { echo, memoryJob } from '../../helpers/memory-job.js'
import { sessionPair } from '../../helpers/session-pair.js'

/** One that writes down what it is told, for each session. */
function notebook() {
  const notes: string[] = []
  const observer = (): SessionObserver => ({
    started: (start) =>
      notes.push(
        start.kind === 'files'
          ? `files in ${start.directory}`
          : `started ${start.command ?? 'a shell'} ${start.terminal?.columns ?? '-'}`,
      ),
    output: (fd, chunk) => notes.push(`${fd}: ${chunk}`),
    input: (chunk) => notes.push(`0: ${chunk}`),
    resized: ({ columns, rows }) => notes.push(`${columns}x${rows}`),
    exited: (end) => notes.push(`exited ${end.signal ?? end.exitCode}`),
  })
  return { notes, observer }
}

describe('who looks on at a session', () => {
  it('is told of its process, what that reads and writes, and how it ends', async () => {
    const { notes, observer } = notebook()
    const { client, close } = await sessionPair({ serve: { observer } })
    const run = await client.exec('cat; echo err >&2; exit 3', { stdin: 'abc' })
    const { stdout, stderr, exitCode } = await run.output()
    expect([stdout.toString(), stderr.toString(), exitCode]).toEqual(['abc', 'err\n', 3])
    expect(notes[0]).toBe('started cat; echo err >&2; exit 3 -')
    expect(notes.slice(1).sort()).toEqual(['0: abc', '1: abc', '2: err\n', 'exited 3'])
    await close()
  })

  it('is told of the terminal, and of its size', async () => {
    const { notes, observer } = notebook()
    const { client, close } = await sessionPair({ serve: { observer, motd: false } })
    const run = await client.exec('echo ready; read line', { pty: { columns: 100, rows: 30 } })
    await once(run.stdout, 'data')
    run.resize({ columns: 120, rows: 40 })
    await until(() => notes.includes('120x40'))
    run.stdin.write('x\r')
    await run.ended
    expect(notes[0]).toBe('started echo ready; read line 100')
    expect(notes).toContain('0: x\r')
    await close()
  })

  it('is told of files, and of each session apart', async () => {
    const seen: ReturnType<typeof notebook>[] = []
    const observer = () => {
      const one = notebook()
      seen.push(one)
      return one.observer()
    }
    const { client, close } = await sessionPair({ serve: { observer } })
    await client.files.stat('.')
    await (await client.exec('true', { stdin: null })).output()
    await close()
    await until(() => seen.every(({ notes }) => notes.length === 2))
    expect(seen.map(({ notes }) => notes)).toEqual([
      [`files in ${process.cwd()}`, expect.stringMatching(/^exited /)],
      ['started true -', 'exited 0'],
    ])
  })

  it('harms nobody by what it throws', async () => {
    const warnings: string[] = []
    const log = { ...silent, warn: (_fields: object, message: string) => void warnings.push(message) }
    const fail = (): never => {
      throw new Error('a mistake')
    }
    const observer = () => ({ started: fail, output: fail, input: fail, exited: fail })
    const { client, close } = await sessionPair({ serve: { observer, log } })
    const { stdout } = await (await client.exec('cat', { stdin: 'abc' })).output()
    expect(stdout.toString()).toBe('abc')
    await close()
    expect(new Set(warnings)).toEqual(new Set(['an observer of a session has failed']))
  })

  it('harms nobody where it can not be made', async () => {
    const observer = (): never => {
      throw new Error('a mistake')
    }
    const { client, close } = await sessionPair({ serve: { observer } })
    const { stdout } = await (await client.exec('echo here', { stdin: null })).output()
    expect(stdout.toString()).toBe('here\n')
    await close()
  })

  it('does not read what nobody else does', async () => {
    let read = 0
    const observer = () => ({
      output(_fd: 1 | 2, chunk: Buffer) {
        read += chunk.length
      },
    })
    const { client, close } = await sessionPair({ job: memoryJob(echo), serve: { observer } })
    const run = await client.exec('x')
    const taken = await writeUntilStuck(run.stdin, Buffer.alloc(65_536), 100_000_000)
    expect(taken).toBeLessThan(80_000_000)
    expect(read).toBeLessThan(80_000_000)
    await close()
  })
})

describe('a process that is shown on a channel', () => {
  it('is there, and whole, for another channel when that one is gone', async () => {
    const pair = await connectionPair()
    const process = await startIn(
      testJob(),
      'read line; echo first $line; read line; echo second $line; exit 5',
    )
    const [near, far] = await pair.open()
    const shown = showProcess(far, process, silent)
    near.output.write('a\n')
    const [first] = await once(near.input, 'data')
    expect(String(first)).toBe('first a\n')
    near.close()
    expect(await shown).toBeUndefined()
    const [other, another] = await pair.open()
    const again = showProcess(another, process, silent)
    other.output.end('b\n')
    expect((await readAll(other.input)).toString()).toBe('second b\n')
    expect(await again).toEqual({ exitCode: 5 })
    await pair.close()
  })
})

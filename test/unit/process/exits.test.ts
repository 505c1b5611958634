import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { readStatus } from '../../../src/process/exits.js'
import { spawnProcess } from '../../../src/process/spawn.js'
import { runIn, startIn, testJob } from '../../helpers/job-session.js'
import { runProgram } from '../../helpers/programs.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const REGISTER = ['--import', join(process.cwd(), 'test/helpers/register-typescript.mjs')]
const SPAWN = pathToFileURL('src/process/spawn.ts').href

describe('the end of a process', () => {
  it('is its code, or its signal by the name that SSH has for it, with what the kernel says of a core', () => {
    expect(readStatus(3 << 8)).toEqual({ exitCode: 3 })
    expect(readStatus(9)).toEqual({ signal: 'KILL', coreDumped: false })
    expect(readStatus(6 | 0x80)).toEqual({ signal: 'ABRT', coreDumped: true })
    expect(readStatus(34)).toEqual({ signal: 'RTMIN', coreDumped: false })
    expect(readStatus(40)).toEqual({ signal: 'RTMIN+6', coreDumped: false })
  })

  it('is told of a command that a signal ends', async () => {
    expect((await runIn(testJob(), 'kill -USR1 $$')).end).toEqual({ signal: 'USR1', coreDumped: false })
  })

  it('is told of many that end together', async () => {
    const started = Array.from({ length: 50 }, (_, code) =>
      spawnProcess({ file: '/bin/sh', args: ['sh', '-c', `exit ${code}`], environment: [] }),
    )
    const ends = await Promise.all(started.map(({ ended }) => ended))
    expect(ends).toEqual(started.map((_, exitCode) => ({ exitCode })))
  })

  it('keeps the program alive until it is told, and in a worker thread as well', async () => {
    const script = `
      const { spawnProcess } = await import(${JSON.stringify(SPAWN)})
      const { ended } = spawnProcess({ file: '/bin/sh', args: ['sh', '-c', 'sleep 0.2; exit 5'], environment: [] })
      ended.then((end) => console.log(JSON.stringify(end)))`
    const inWorker = `
      const { Worker } = await import('node:worker_threads')
      new Worker(new URL('data:text/javascript,' + encodeURIComponent(${JSON.stringify(script)})))`
    for (const source of [script, inWorker]) {
      const result = await runProgram(process.execPath, [...REGISTER, '--input-type=module', '-e', source])
      expect(result).toEqual({ exitCode: 0, signal: null, stdout: '{"exitCode":5}\n', stderr: '' })
    }
  })
})

describe('a core', () => {
  const folder = temporaryDirectory()
  const pattern = readFileSync('/proc/sys/kernel/core_pattern', 'latin1')

  it.each(['0', 'hard'])('is told of where one was written, and only there: ulimit -c %s', async (limit) => {
    const { end } = await runIn(testJob({ directory: folder() }), `ulimit -Sc ${limit}; kill -SEGV $$`, {
      shells: ['/bin/bash'],
    })
    // core(5): to a program, or to a file in the working directory; elsewhere is not looked at.
    if (pattern.startsWith('|') || pattern.startsWith('/')) return
    expect(end).toEqual({ signal: 'SEGV', coreDumped: readdirSync(folder()).length > 0 })
  })
})

describe('a signal', () => {
  it('reaches the process group of the command', async () => {
    const session = await startIn(testJob(), 'trap "exit 9" USR2; echo ready; while :; do sleep 0.02; done')
    await new Promise((resolve) => session.stdout.once('data', resolve))
    expect(session.signal('USR2')).toBe(true)
    expect(await session.ended).toEqual({ exitCode: 9 })
  })

  it('of the real-time kind is sent and told by its name', async () => {
    const session = await startIn(testJob(), 'echo ready; sleep 60')
    await new Promise((resolve) => session.stdout.once('data', resolve))
    expect(session.signal('RTMIN+3')).toBe(true)
    expect(await session.ended).toEqual({ signal: 'RTMIN+3', coreDumped: false })
  })

  it('of an unknown name, or after the end, is not sent', async () => {
    const session = await startIn(testJob(), 'read go')
    for (const name of ['', 'NONE', 'constructor', 'SIGTERM', 'term', 'RTMIN+31', 'RTMIN+'])
      expect(session.signal(name)).toBe(false)
    session.stdin.end()
    await session.ended
    expect(session.signal('TERM')).toBe(false)
    expect(session.sendBreak()).toBe(false)
  })
})

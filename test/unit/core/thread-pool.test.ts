import { readdirSync } from 'node:fs'
import { THREADS_DEFAULT, THREADS_SERVING } from '../../../src/core/limits.js'
import { findProgram } from '../../helpers/needs.js'
import { runProgram, SSHJOB_SERVER, startProgram } from '../../helpers/programs.js'
import { starterSuite } from '../../helpers/starter.js'

describe('the threads of a starter', () => {
  const { user } = starterSuite()

  /** How many it has in all, V8's among them. */
  async function threadsUnder(...limits: string[]): Promise<number> {
    const [program = '', ...args] = [
      ...limits,
      process.execPath,
      SSHJOB_SERVER,
      '--log-level',
      'info',
      '--',
      'cat',
    ]
    const starter = startProgram(program, args, { env: user().env })
    await starter.waitFor(/job started/)
    const threads = readdirSync(`/proc/${starter.pid}/task`).length
    starter.child.stdin.end()
    await starter.ended
    return threads
  }

  it('are more than libuv has by itself, unless memory or processes are limited', async () => {
    expect(findProgram('prlimit')).toBeDefined()
    const more = THREADS_SERVING - THREADS_DEFAULT
    const threads = await threadsUnder('env')
    for (const limit of [`--as=${64 * 2 ** 30}`, `--data=${64 * 2 ** 30}`, '--nproc=900']) {
      expect([limit, await threadsUnder('prlimit', limit)]).toEqual([limit, threads - more])
    }
  })

  it.each([undefined, '3'])('are no business of the job, whose variable stays %s', async (size) => {
    const env = { ...user().env, ...(size !== undefined && { UV_THREADPOOL_SIZE: size }) }
    const script = `echo \${UV_THREADPOOL_SIZE-unset}`
    const { stdout } = await runProgram(SSHJOB_SERVER, ['--', 'sh', '-c', script], { env })
    expect(stdout).toBe(`${size ?? 'unset'}\n`)
  })
})

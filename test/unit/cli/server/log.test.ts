import { mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { openLog } from '../../../../src/cli/server/log.js'
import { LOG_QUEUE_BYTES } from '../../../../src/core/limits.js'
import { SSHJOB_SERVER, startProgram } from '../../../helpers/programs.js'
import { temporaryDirectory } from '../../../helpers/temporary-directory.js'

describe('the log of sshjob-server', () => {
  const directory = temporaryDirectory()
  const env = (): NodeJS.ProcessEnv => ({
    PATH: process.env.PATH,
    SSHJOB_RUNTIME_DIR: join(directory(), 'sshjob'),
    TMPDIR: directory(),
    HOME: directory(),
  })

  it('in JSON is JSON, and can be looked at: nothing in it drives a terminal', async () => {
    const file = join(directory(), 'json')
    const log = await openLog({ level: 'info', file, format: 'json' })
    log.info({ user: 'a\u001b[2J\u009b2J\u202eb' }, 'client\u2028 authenticated')
    log.debug({}, 'not said')
    log.error({ err: new TypeError('x') }, 'failed')
    await log.flush()
    const text = readFileSync(file, 'utf8')
    expect(text).not.toMatch(/(?!\n)[\p{Cc}\u2028\u202e]/u)
    const [first, second, ...more] = text.trim().split('\n')
    expect(more).toEqual([])
    expect(JSON.parse(first ?? '')).toMatchObject({
      level: 30,
      name: 'sshjob-server',
      starter: process.pid,
      user: 'a\u001b[2J\u009b2J\u202eb',
      msg: 'client\u2028 authenticated',
    })
    expect(JSON.parse(second ?? '')).toMatchObject({ level: 50, msg: 'failed', err: { message: 'x' } })
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  it('goes on behind what a file has, in the order in which it was said', async () => {
    const file = join(directory(), 'text')
    for (const round of [1, 2]) {
      const log = await openLog({ level: 'info', file, format: 'text' })
      for (let i = 0; i < 500; i++) log.info({ round, i }, 'event')
      await log.flush()
    }
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
    expect(lines.map((line) => line.replace(/^.* info: /, ''))).toEqual(
      [1, 2].flatMap((round) => Array.from({ length: 500 }, (_, i) => `event round=${round} i=${i}`)),
    )
  })

  it('that can not be opened is a wrong option', async () => {
    mkdirSync(join(directory(), 'folder'))
    await expect(
      openLog({ level: 'info', file: join(directory(), 'folder'), format: 'text' }),
    ).rejects.toMatchObject({
      code: 'usage',
      message: `The log file ${join(directory(), 'folder')} can't be written: illegal operation on a directory (EISDIR).`,
    })
  })

  it.each([
    [
      ['--log-level', 'info'],
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d sshjob-server info: job started job=a socket=\S+\n$/,
    ],
    [['--log-level', 'info', '--log-format', 'json'], /^\{"level":30,.*"msg":"job started"\}\n$/],
  ])('%j: the first line is what was asked for', async (options, line) => {
    const starter = startProgram(SSHJOB_SERVER, ['--job-id', 'a', '-q', ...options, '--', 'cat'], {
      env: env(),
    })
    await starter.waitFor(/job started/)
    const [first] = starter
      .stderr()
      .toString()
      .split(/(?<=\n)/)
    expect(first).toMatch(line)
    starter.child.stdin.end()
    expect(await starter.ended).toEqual({ exitCode: 0, signal: null })
  })

  it('that nobody reads holds up neither the job nor its end', async () => {
    const options = ['--job-id', 'b', '--log-level', 'info', '--log-file', '/dev/full']
    const full = startProgram(SSHJOB_SERVER, [...options, '--', 'echo', 'ran'], { env: env() })
    expect(await full.ended).toEqual({ exitCode: 0, signal: null })
    expect(full.stdout().toString()).toBe('ran\n')
  })

  it('leaves out what a reader that has stopped does not take, and says so', async () => {
    const script = `
      import { openLog } from ${JSON.stringify(join(process.cwd(), 'src/cli/server/log.ts'))}
      const log = await openLog({ level: 'info', file: undefined, format: 'text' })
      const line = 'x'.repeat(1000)
      for (let i = 0; i < ${(2 * LOG_QUEUE_BYTES) / 1_000}; i++) log.info({ i, line }, 'event')
      const started = Date.now()
      setTimeout(() => process.stdout.write('free\\n'), 1)
      process.stdin.once('data', async () => {
        await log.flush()
        log.info({}, 'the end')
        await log.flush()
        process.exit()
      })`
    const loader = join(process.cwd(), 'test/helpers/register-typescript.mjs')
    const program = startProgram(process.execPath, ['--import', loader, '--input-type=module', '-e', script])
    program.child.stderr.pause()
    await program.waitFor(/free/) // its event loop turns, though its stderr is full
    program.child.stderr.resume()
    program.child.stdin.end('go\n')
    await program.ended
    const lines = program.stderr().toString().trimEnd().split('\n')
    expect(lines.at(-1)).toMatch(/ info: the end$/)
    expect(lines.at(-2)).toMatch(
      /^sshjob-server: \d+ lines of the log are left out here: nobody took them\.$/,
    )
    expect(lines.length).toBeLessThan((1.5 * LOG_QUEUE_BYTES) / 1_000)
  })
})

import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { describeAsRoot } from '../../helpers/needs.js'
import { runProgram, SSHJOB, SSHJOB_KEYGEN, SSHJOB_SERVER } from '../../helpers/programs.js'
import { serveJob } from '../../helpers/served-job.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const MALLORY = 54_321

describeAsRoot('a file that an option names, for root, in a directory of another user', () => {
  const folder = temporaryDirectory()
  let theirs: string
  const inTheirs = (name: string): string => path.join(theirs, name)
  const env = (): NodeJS.ProcessEnv => ({ ...process.env, SSHJOB_RUNTIME_DIR: folder(), HOME: folder() })
  const refusal = (file: string): string =>
    `As root, ${file} is not used: ${theirs} belongs to user ${MALLORY}.\n`

  beforeEach(() => {
    theirs = mkdtempSync(path.join(folder(), 'theirs-'))
    chmodSync(theirs, 0o755)
    chownSync(theirs, MALLORY, MALLORY)
  })

  it('is no key, whose other half somebody might put a link to', async () => {
    const args = ['-q', '-N', '', '-f', inTheirs('key')]
    expect(await runProgram(SSHJOB_KEYGEN, args)).toMatchObject({
      exitCode: 1,
      stderr: `sshjob-keygen: ${refusal(inTheirs('key'))}`,
    })
    expect(readdirSync(theirs)).toEqual([])
  })

  it('is no log, which a link would have written elsewhere', async () => {
    const target = path.join(folder(), 'target')
    symlinkSync(target, inTheirs('log'))
    const logging = ['--log-level', 'info', '--log-file', inTheirs('log')]
    expect(await runProgram(SSHJOB_SERVER, [...logging, '--', 'true'], { env: env() })).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining(`${refusal(inTheirs('log')).trimEnd()} It goes to stderr.`),
    })
    expect(await runProgram(SSHJOB_SERVER, ['-i', ...logging], { env: env() })).toMatchObject({
      exitCode: 255,
      stderr: `sshjob-server: ${refusal(inTheirs('log'))}`,
    })
    const config = path.join(folder(), 'sshd_config')
    writeFileSync(config, '')
    const asSshd = await runProgram(SSHJOB_SERVER, ['-i', '-E', inTheirs('log'), '-f', config], { stdin: '' })
    expect(asSshd).toMatchObject({ exitCode: 255, stderr: `sshjob-server: ${refusal(inTheirs('log'))}` })
    expect(existsSync(target)).toBe(false)
  })

  it('is no configuration, which says what is run', async () => {
    writeFileSync(inTheirs('sshd_config'), 'ForceCommand id\n')
    for (const mode of ['-i', '-t', '-T']) {
      const { exitCode, stderr } = await runProgram(SSHJOB_SERVER, [mode, '-f', inTheirs('sshd_config')], {
        stdin: '',
      })
      expect({ exitCode, stderr }).toEqual({
        exitCode: 255,
        stderr: `sshjob-server: ${refusal(inTheirs('sshd_config'))}`,
      })
    }
  })

  it('is no socket, neither of a job nor of a forwarding', async () => {
    const listen = ['--listen', `unix:${inTheirs('socket')}`]
    const { stderr: why, ...end } = await runProgram(SSHJOB_SERVER, [...listen, '--', 'ls', theirs], {
      env: env(),
    })
    expect(end).toEqual({ exitCode: 0, signal: null, stdout: '' })
    expect(why).toContain(`${refusal(inTheirs('socket')).trimEnd()} It is found by its id instead.`)
    const strict = ['--require-session', ...listen, '--', 'true']
    expect(await runProgram(SSHJOB_SERVER, strict, { env: env() })).toMatchObject({
      exitCode: 255,
      stderr: `sshjob-server: ${refusal(inTheirs('socket')).trimEnd()} The job was not started, as --require-session says.\n`,
    })
    const runtime = path.join(folder(), 'run')
    mkdirSync(runtime, { mode: 0o700 })
    const job = await serveJob(runtime, 'train')
    const forward = ['-L', `${inTheirs('socket')}:localhost:1`, 'train', 'true']
    const { exitCode, stderr } = await runProgram(SSHJOB, forward, { env: job.env })
    await job.stop()
    expect({ exitCode, stderr }).toEqual({ exitCode: 255, stderr: `sshjob: ${refusal(inTheirs('socket'))}` })
    expect(readdirSync(theirs)).toEqual([])
    rmSync(runtime, { recursive: true })
  })
})

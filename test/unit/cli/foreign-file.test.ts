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
    const logging = ['--log-level', 'warn', '--log-file', inTheirs('log'), '--quiet', '--', 'echo', 'ran']
    const job = await runProgram(SSHJOB_SERVER, logging, { env: env() })
    expect(job).toMatchObject({ exitCode: 0, stdout: 'ran\n' })
    expect(job.stderr).toContain(`${refusal(inTheirs('log')).trimEnd()} It goes to stderr.`)
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
    const listen = ['--listen', `unix:${inTheirs('socket')}`, '--log-level', 'warn', '--quiet']
    const byId = await runProgram(SSHJOB_SERVER, [...listen, '--', 'echo', 'ran'], { env: env() })
    expect(byId).toMatchObject({ exitCode: 0, stdout: 'ran\n' })
    expect(byId.stderr).toContain(`${refusal(inTheirs('socket')).trimEnd()} It is found by its id instead.`)
    const required = [...listen, '--require-session', '--', 'echo', 'ran']
    const refused = await runProgram(SSHJOB_SERVER, required, { env: env() })
    expect(refused).toMatchObject({ exitCode: 255, stdout: '' })
    expect(refused.stderr).toContain(refusal(inTheirs('socket')).trimEnd())
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

import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { encodeXauthority } from '../../src/server/forwarding/xauthority.js'
import { until } from '../helpers/bytes.js'
import { describeWith } from '../helpers/needs.js'
import { type RunningProgram, runProgram, SSHJOB, startProgram } from '../helpers/programs.js'
import { type ServedJob, serveJob } from '../helpers/served-job.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

const COMMAND = 'echo $DISPLAY $XAUTHORITY; xdpyinfo | grep dimensions; xwininfo -root'

describeWith(['Xvfb', 'xauth', 'xdpyinfo', 'xwininfo'], 'sshjob -X', () => {
  const folder = temporaryDirectory()
  let job: ServedJob
  let server: RunningProgram
  /** Of the X server, which lets in who knows its cookie. */
  let display: string
  let authority: string

  async function startDisplay(...more: string[]): Promise<void> {
    authority = join(folder(), 'authority')
    const cookie = randomBytes(16)
    const write = (number: number): void =>
      writeFileSync(
        authority,
        encodeXauthority({ display: number, hostname: hostname(), protocol: 'MIT-MAGIC-COOKIE-1', cookie }),
      )
    write(0)
    // Without -noreset it starts anew when its last client has gone, and refuses the next one meanwhile.
    const options = ['-noreset', '-listen', 'tcp', '-screen', '0', '640x480x24', '-auth', authority, ...more]
    server = startProgram('Xvfb', ['-displayfd', '1', ...options])
    await server.waitFor(/^\d+\n/)
    display = server.stdout().toString().trim()
    write(Number(display))
  }

  beforeEach(async () => {
    job = await serveJob(folder(), 'train')
    await startDisplay()
  })
  afterEach(async () => {
    // Politely: it leaves its socket and its lock behind otherwise.
    await Promise.all([server.stop(), job.stop()])
  })

  const run = (name: string, args: string[], file = authority) =>
    runProgram(SSHJOB, args, { env: { ...job.env, DISPLAY: name, XAUTHORITY: file } })

  it.each([
    ['-X', ':'],
    ['-Y', 'localhost:'],
  ])('%s shows programs of the job on %s…, whose cookie stays here', async (flag, host) => {
    const { stdout, stderr, exitCode } = await run(`${host}${display}`, [flag, 'train', COMMAND])
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 })
    const [variables = '', dimensions] = stdout.split('\n')
    expect(variables).toMatch(/^localhost:\d+\.0 \/.*\/Xauthority$/)
    expect(dimensions).toContain('640x480 pixels')
    expect(stdout).toContain('the root window')
    await until(() => !existsSync(dirname(variables.split(' ')[1] ?? '')))
  })

  it('lets in nobody who has not the cookie of the session, nor us without that of the display', async () => {
    const stranger = await run(`:${display}`, ['-X', 'train', 'XAUTHORITY=/dev/null xdpyinfo'])
    expect(stranger).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('unable to open display') })
    const without = await run(`:${display}`, ['-X', 'train', 'xdpyinfo'], join(folder(), 'none'))
    expect(without).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('unable to open display') })
  })

  it('has programs trusted with -Y, and with -X not, who see no more than that of the display', async () => {
    const extensions = async (flag: string): Promise<string[]> => {
      const { stdout } = await run(`:${display}`, [flag, 'train', 'xdpyinfo'])
      return /number of extensions:.*\n((?: {4}\S.*\n)+)/.exec(stdout)?.[1]?.trim().split(/\s+/) ?? []
    }
    // With it, one types into the windows of others.
    expect(await extensions('-Y')).toContain('XTEST')
    expect(await extensions('-X')).not.toContain('XTEST')
    expect(await extensions('-X')).not.toEqual([])
  })

  it('-X goes on without a display that knows trusted programs alone, and says so, as ssh does', async () => {
    await server.stop()
    await startDisplay('-extension', 'SECURITY')
    const untrusted = await run(`:${display}`, ['-X', 'train', 'echo "[$DISPLAY]"; exit 3'])
    expect(untrusted).toMatchObject({ stdout: '[]\n', exitCode: 3 })
    expect(untrusted.stderr).toBe(
      `sshjob: Programs of the job get no access to the display :${display} without being trusted: couldn't query Security extension on display ":${display}". The session has none; with -Y they are trusted.\n`,
    )
    const trusted = await run(`:${display}`, ['-Y', 'train', 'xdpyinfo'])
    expect(trusted).toMatchObject({ stderr: '', exitCode: 0 })
  })

  it('-X says so where there is no xauth', async () => {
    const path = join(folder(), 'bin')
    mkdirSync(path)
    symlinkSync(process.execPath, join(path, 'node'))
    const env = { ...job.env, DISPLAY: `:${display}`, PATH: path }
    const { stderr, exitCode } = await runProgram(SSHJOB, ['-X', 'train', 'true'], { env })
    expect(stderr).toBe(
      `sshjob: Programs of the job get no access to the display :${display} without being trusted: there is no xauth here, which makes its cookie. The session has none; with -Y they are trusted.\n`,
    )
    expect(exitCode).toBe(0)
  })

  it('says so where DISPLAY is not set, or wrong', async () => {
    const without = await run('', ['-X', 'train', 'echo "[$DISPLAY]"'])
    const note = 'sshjob: DISPLAY is not set here, so there is no display for the session.\n'
    expect(without).toMatchObject({ stderr: note, exitCode: 0 })
    const wrong = await run('nonsense', ['-X', 'train', 'true'])
    expect(wrong).toMatchObject({
      stderr: "sshjob: 'nonsense' is no display of X11: write :NUMBER or HOST:NUMBER, as in :0.\n",
      exitCode: 255,
    })
  })
})

import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { closeBridges, openBridge } from '../helpers/bridge.js'
import { sha256 } from '../helpers/bytes.js'
import { also, CURL, describeClient, LIBSSH } from '../helpers/clients.js'
import { HOST, writeSshConfig } from '../helpers/openssh.js'
import { type ProgramResult, runProgram } from '../helpers/programs.js'
import { echoSocket, serveSockets } from '../helpers/sockets.js'
import { starterSuite } from '../helpers/starter.js'

const BYTES = 3_000_001
/** More than a connection carries before its keys are exchanged anew for a faster cipher. */
const MANY_BYTES = 20_000_001

describeClient(LIBSSH, 'sessions, files and forwarding', () => {
  const { user, start } = starterSuite()

  it('runs a command with a variable and a terminal, copies 20 MB by SFTP, forwards; all by what `sshjob ssh-config` prints', async () => {
    await start()
    const { folder, env } = user()
    const [program, file, copy] = ['client', 'data', 'copy'].map((name) => join(folder, name))
    const source = join(process.cwd(), 'test/interop/c/libssh_client.c')
    const compiled = await runProgram('gcc', ['-o', `${program}`, source, '-lssh'], { env })
    expect(compiled).toMatchObject({ exitCode: 0, stderr: '' })
    writeFileSync(`${file}`, randomBytes(MANY_BYTES))
    const { port } = await serveSockets(echoSocket)
    const config = await writeSshConfig(user())
    const result = await runProgram(`${program}`, [config, HOST, `${file}`, `${copy}`, String(port)], { env })
    expect(result).toMatchObject({ exitCode: 0, stderr: '' })
    expect(result.stdout.replaceAll('\r', '').split('\n')).toEqual([
      'stdout a b',
      'stderr err',
      'status 7',
      'terminal 30 90',
      'vt100',
      `copied ${MANY_BYTES} same`,
      'missing 2', // SSH_FX_NO_SUCH_FILE
      'forwarded echo',
      '',
    ])
  })
})

/** The same files for both protocols: OpenSSH's scp, which runs in the job, wants an account. */
function curlSuite() {
  const { user, start } = starterSuite()
  closeBridges()
  const data = randomBytes(BYTES)

  beforeEach(async () => {
    await writeSshConfig(user()) // makes the identity
    await start({ cwd: user().folder })
    writeFileSync(join(user().folder, 'data'), data)
  })

  /** The path is one of the test's folder. */
  async function curl(protocol: string, path: string, ...args: string[]): Promise<ProgramResult> {
    const { folder, env } = user()
    // Of two kinds of host keys, libssh2 likes this one better.
    const { port, fingerprints } = await openBridge(user())
    const keys = [
      '--key',
      join(folder, 'run/sshjob/openssh/id_ed25519'),
      '--hostpubsha256',
      fingerprints.ecdsa,
    ]
    const url = `${protocol}://127.0.0.1:${port}${folder}/${path}`
    return runProgram('curl', ['-sS', '--user', 'anybody:', ...keys, ...args, url], { env, cwd: folder })
  }

  async function copyBothWays(protocol: string): Promise<void> {
    expect(await curl(protocol, 'up', '-T', 'data')).toMatchObject({ exitCode: 0, stderr: '' })
    expect(await curl(protocol, 'up', '-o', 'back')).toMatchObject({ exitCode: 0, stderr: '' })
    expect(sha256(readFileSync(join(user().folder, 'back')))).toBe(sha256(data))
  }
  return { data, user, curl, copyBothWays }
}

describeClient(CURL, 'sftp://', () => {
  const { data, user, curl, copyBothWays } = curlSuite()

  it('copies a file into the job and back', () => copyBothWays('sftp'))

  it('lists, renames, goes on with what is half there, and makes folders', async () => {
    const { folder } = user()
    writeFileSync(join(folder, 'half'), data.subarray(0, 1_000_000))
    expect(await curl('sftp', 'data', '-C', '-', '-o', 'half')).toMatchObject({ exitCode: 0, stderr: '' })
    expect(sha256(readFileSync(join(folder, 'half')))).toBe(sha256(data))
    const commands = ['-Q', `rename ${folder}/half ${folder}/renamed`, '--ftp-create-dirs', '-T', 'data']
    expect(await curl('sftp', 'made/inner/data', ...commands)).toMatchObject({ exitCode: 0, stderr: '' })
    expect(sha256(readFileSync(join(folder, 'made/inner/data')))).toBe(sha256(data))
    const { stdout } = await curl('sftp', '')
    expect(stdout).toMatch(new RegExp(` ${BYTES} .* renamed\\n`))
    expect(stdout).not.toMatch(/ half\n/)
  })
})

describeClient(also(CURL, 'scp'), 'scp://', () => {
  const { copyBothWays } = curlSuite()

  it('copies a file into the job and back', () => copyBothWays('scp'))
})

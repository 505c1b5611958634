import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { describeWith } from '../helpers/needs.js'
import { HOST, writeSshConfig } from '../helpers/openssh.js'
import { type RunningProgram, runProgram, SSHJOB, startProgram } from '../helpers/programs.js'
import { starterSuite } from '../helpers/starter.js'

const sha256 = (data: Buffer): string => createHash('sha256').update(data).digest('hex')

describeWith(['plink', 'puttygen'], "PuTTY's plink", () => {
  const { user, start } = starterSuite()
  let key: string
  const open: net.Server[] = []

  beforeAll(async () => {
    const { env, folder } = user()
    await writeSshConfig(user()) // makes the identity
    key = join(folder, 'key.ppk')
    const identity = join(folder, 'run/sshjob/openssh/id_ed25519')
    const made = await runProgram('puttygen', [identity, '-O', 'private', '-o', key], { env })
    expect(made).toMatchObject({ exitCode: 0, stderr: '' })
  })
  beforeEach(() => start())
  afterEach(() => {
    for (const server of open.splice(0)) server.close()
  })

  /**
   * plink wants the fingerprint of the host key on its command line, and a session has a fresh key. So the proxy starts
   * first: it has the key when the first byte of SSH comes, and waits for plink, which is led to it.
   */
  async function plink(
    options: readonly string[],
    command: string[],
    stdin: string | Buffer = '',
  ): Promise<RunningProgram> {
    const { env, folder } = user()
    const proxy = startProgram(SSHJOB, ['proxy', HOST], { env })
    await proxy.waitFor(/^SSH-2\.0-/)
    const greeting = proxy.stdout()
    proxy.child.stdout.removeAllListeners('data').pause()

    const socket = join(folder, `${open.length}-${proxy.pid}`)
    const server = net.createServer({ allowHalfOpen: true }, (connection) => {
      connection.write(greeting)
      proxy.child.stdout.pipe(connection).pipe(proxy.child.stdin)
      connection.on('error', () => proxy.kill())
    })
    open.push(server)
    await once(server.listen(socket), 'listening')
    const lead = `const s=require("net").connect("${socket}");process.stdin.pipe(s);s.pipe(process.stdout)`
    const fixed = ['-batch', '-ssh', '-noagent', '-i', key, '-hostkey', fingerprint(folder)]
    const proxying = ['-proxycmd', `${process.execPath} -e '${lead}'`]
    const args = [...fixed, ...proxying, ...options, `anybody@${HOST}`, ...command]
    return startProgram('plink', args, { env, stdin })
  }

  function fingerprint(folder: string): string {
    const lines = readFileSync(join(folder, 'run/sshjob/openssh/known_hosts'), 'utf8').trimEnd().split('\n')
    const blob = Buffer.from(lines.at(-1)?.split(' ')[2] ?? '', 'base64')
    return `SHA256:${createHash('sha256').update(blob).digest('base64').replaceAll('=', '')}`
  }

  it('runs a command and gives its exit status', async () => {
    const program = await plink([], ['echo out; echo err >&2; exit 7'])
    expect(await program.ended).toEqual({ exitCode: 7, signal: null })
    expect(program.stdout().toString()).toBe('out\n')
    expect(program.stderr().toString()).toContain('err\n')
  })

  it('passes 10 MB both ways, unchanged, with the answers to winadj@putty that its windows wait for', async () => {
    const data = randomBytes(10_000_000)
    const program = await plink([], ['cat'], data)
    expect(await program.ended).toEqual({ exitCode: 0, signal: null })
    expect(sha256(program.stdout())).toBe(sha256(data))
  })

  it('gets a terminal with -t', async () => {
    const program = await plink(['-t'], ['tty; echo $TERM; exit 4'])
    expect((await program.ended).exitCode).toBe(4)
    expect(program.stdout().toString()).toMatch(/^\/dev\/pts\/\d+\r\nxterm\r\n/)
  })

  it('runs a shell that is typed into', async () => {
    const program = await plink(['-t'], [], 'echo a$((1+1))b; exit 5\n')
    expect((await program.ended).exitCode).toBe(5)
    expect(program.stdout().toString()).toContain('a2b\r\n')
  })
})

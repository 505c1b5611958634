import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readAccount } from '../../src/job/account.js'
import { describeWith } from '../helpers/needs.js'
import { runProgram, SSHJOB_SERVER } from '../helpers/programs.js'
import { sshdSuite } from '../helpers/sshd.js'

const ACCOUNT = readAccount().name

describe('sshjob-server as sshd -t and -T', () => {
  const suite = sshdSuite()
  const check = (...args: string[]) => runProgram(SSHJOB_SERVER, args)

  it('says nothing of a configuration that is right', async () => {
    const file = suite.configure(['Protocol 2', 'UsePAM no', 'Subsystem sftp internal-sftp'])
    expect(await check('-t', '-f', file)).toMatchObject({
      exitCode: 0,
      stdout: '',
      stderr: expect.stringMatching(/^sshjob-server: \S+ line 4: Protocol has no effect any more\n$/),
    })
  })

  it.each([
    [['Nonsense yes'], /line 4: there is no keyword 'Nonsense'\.\n$/],
    [
      ['UsePAM yes'],
      /line 4: UsePAM is not supported by sshjob-server, and ignoring it would be unsafe\. It may be no\.\n$/,
    ],
  ])('says what is wrong, and where: %j', async (lines, message) => {
    const file = suite.configure(lines)
    expect(await check('-t', '-f', file)).toMatchObject({
      exitCode: 255,
      stderr: expect.stringMatching(message),
    })
  })

  it('takes no host key that others may read', async () => {
    const file = suite.configure([])
    chmodSync(join(suite.folder(), 'host'), 0o640)
    const { exitCode, stderr } = await check('-t', '-f', file)
    chmodSync(join(suite.folder(), 'host'), 0o600)
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 255,
      stderr: expect.stringMatching(/mode 640: chmod 600 it/),
    })
  })

  it('prints what counts for a connection', async () => {
    const file = suite.configure(['Banner /a', 'Match User alice', 'Banner /b'])
    const dump = async (...args: string[]) =>
      (await check('-T', '-f', file, ...args)).stdout.match(/^banner .*$/m)?.[0]
    expect(await dump()).toBe('banner /a')
    expect(await dump('-C', 'user=alice,addr=10.0.0.1')).toBe('banner /b')
    expect(await dump('-o', 'Banner=/c')).toBe('banner /c')
  })

  it.each([
    [['-f', 'x'], /it does not listen/],
    [['-t'], /a configuration is needed: -f FILE/],
    [['-i', '-f', 'x', '--log-level', 'debug'], /'--log-level' is no option of sshd/],
    [['-t', '-f'], /-f needs a value/],
  ])('refuses %j', async (args, message) => {
    expect(await check(...args)).toMatchObject({ exitCode: 255, stderr: expect.stringMatching(message) })
  })
})

describeWith(['ssh'], 'sshjob-server as sshd -i, and ssh', () => {
  const suite = sshdSuite()

  it('runs a command with its bytes and its status', async () => {
    suite.configure([])
    const result = await suite.ssh(['cat; echo err >&2; exit 7'], { stdin: 'in' })
    expect(result).toMatchObject({ exitCode: 7, stdout: 'in', stderr: 'err\n' })
    const data = randomBytes(3_000_000).toString('latin1')
    expect((await suite.ssh(['cat'], { stdin: data })).stdout === data).toBe(true)
  })

  it('runs what is forced instead, and says what was asked for', async () => {
    suite.configure([], 'command="echo forced: $SSH_ORIGINAL_COMMAND"')
    expect((await suite.ssh(['echo mine'])).stdout).toBe('forced: echo mine\n')
    expect((await suite.ssh([])).stdout).toBe('forced:\n')
    suite.configure(['ForceCommand echo configured'], 'command="echo forced"')
    expect((await suite.ssh(['echo mine'])).stdout).toBe('configured\n')
  })

  it('takes variables that AcceptEnv names, and sets its own over them', async () => {
    suite.configure(
      ['AcceptEnv A_*', 'SetEnv A_B=server', 'PermitUserEnvironment yes'],
      'environment="A_C=key"',
    )
    const setEnv = ['-o', 'SetEnv=A_A=client A_B=client A_C=client X=client']
    const { stdout } = await suite.ssh([...setEnv, 'echo $A_A $A_B $A_C $X'].slice(2))
    expect(stdout).toBe('server key\n')
    const args = [...suite.args(), ...setEnv, 'here', 'echo $A_A $A_B $A_C $X']
    const sent = await runProgram('ssh', args, { env: { PATH: process.env.PATH, HOME: suite.folder() } })
    expect(sent.stdout).toBe('client server key\n')
  })

  it('shows the banner', async () => {
    const banner = join(suite.folder(), 'banner')
    writeFileSync(banner, 'no trespassing\n')
    suite.configure([`Banner ${banner}`])
    const args = [...suite.args('INFO'), 'here', 'true']
    expect((await runProgram('ssh', args)).stderr).toContain('no trespassing\n')
  })

  it.each<[string, string[], string]>([
    ['an expired key', [], 'expiry-time="19990101"'],
    ['a key from elsewhere', [], 'from="10.0.0.0/8"'],
    ['a certificate authority', [], 'cert-authority'],
    ['a key with an unknown option', [], 'invented'],
    ['an algorithm that is not accepted', ['PubkeyAcceptedAlgorithms rsa-*'], ''],
    ['a user that is denied', [`DenyUsers ${ACCOUNT}`], ''],
    ['a user that is not allowed', ['AllowUsers somebody-else'], ''],
    ['any key, where none is', ['PubkeyAuthentication no'], ''],
  ])('does not let in %s', async (_what, lines, options) => {
    suite.configure(lines, options)
    const { exitCode, stdout, stderr } = await suite.ssh(['echo in'])
    expect({ exitCode, stdout, stderr }).toMatchObject({
      exitCode: 255,
      stdout: '',
      stderr: expect.stringMatching(/Permission denied/),
    })
  })

  it('lets nobody choose rules by choosing a name', async () => {
    suite.configure([`Match User ${ACCOUNT}`, 'ForceCommand echo restricted'])
    expect((await suite.ssh(['echo free'])).stdout).toBe('restricted\n')
    const other = await runProgram('ssh', [...suite.args(), '-l', 'somebody-else', 'here', 'echo free'])
    expect(other).toMatchObject({ exitCode: 255, stdout: '' })
    suite.configure([])
    const free = await runProgram('ssh', [...suite.args(), '-l', 'somebody-else', 'here', 'echo free'])
    expect(free.stdout).toBe('free\n')
  })

  it.each<[string, string[], string]>([
    ['restrict', [], 'restrict'],
    ['PermitTTY no', ['PermitTTY no'], ''],
  ])('gives no terminal with %s', async (_what, lines, options) => {
    suite.configure(lines, options)
    expect((await suite.ssh(['-tt', 'tty'].slice(1))).stdout).toMatch(/not a tty/)
    const forced = await runProgram('ssh', [...suite.args(), '-tt', 'here', 'tty'])
    expect(forced.stdout + forced.stderr).toMatch(/PTY allocation request failed/)
  })

  it('forwards what is permitted', async () => {
    suite.configure(['PermitOpen localhost:1'], 'permitopen="localhost:2"')
    const forward = (target: string) => runProgram('ssh', [...suite.args('INFO'), '-W', target, 'here'])
    expect((await forward('localhost:1')).stderr).toMatch(/administratively prohibited/)
    suite.configure(['PermitOpen localhost:1'])
    expect((await forward('localhost:1')).stderr).toMatch(/connect failed/)
    suite.configure(['DisableForwarding yes'])
    expect((await forward('localhost:1')).stderr).toMatch(/administratively prohibited/)
  })

  it('tells a session how it was let in, if it is to', async () => {
    suite.configure(['ExposeAuthInfo yes'])
    const { stdout } = await suite.ssh(['cat $SSH_USER_AUTH; echo $SSH_USER_AUTH'])
    const [line, file = ''] = stdout.trim().split('\n')
    expect(line).toBe(`publickey ${suite.publicKey.split(' ').slice(0, 2).join(' ')}`)
    expect(existsSync(file)).toBe(false)
  })

  it('exchanges keys anew as RekeyLimit says', async () => {
    suite.configure(['RekeyLimit 256K', 'LogLevel DEBUG3'])
    const { stdout } = await suite.ssh(['head -c 1000000 /dev/zero'])
    expect(stdout.length).toBe(1_000_000)
    const log = readFileSync(join(suite.folder(), 'log'), 'utf8')
    expect(log.match(/key exchange started/g)?.length).toBeGreaterThan(1)
  })
})

describeWith(['ssh', 'sftp'], 'sshjob-server as sshd -i, and sftp', () => {
  const suite = sshdSuite()
  const get = (): Promise<{ exitCode: number | null; stderr: string }> => {
    const [source, target] = ['from', 'to'].map((name) => join(suite.folder(), name))
    writeFileSync(source ?? '', 'a file')
    return runProgram('sftp', ['-b', '-', ...suite.args(), 'here'], { stdin: `get ${source} ${target}\n` })
  }

  it.each([
    'Subsystem sftp internal-sftp',
    'Subsystem sftp /nowhere/sftp-server',
    'Subsystem sftp SFTP_SERVER-NOTFOUND',
    'Subsystem sftp internal-sftp\nForceCommand internal-sftp',
  ])('serves files: %j', async (line) => {
    suite.configure([line])
    expect(await get()).toMatchObject({ exitCode: 0 })
    expect(readFileSync(join(suite.folder(), 'to'), 'utf8')).toBe('a file')
  })

  it('runs a subsystem that is a command', async () => {
    suite.configure(['Subsystem greet echo hello'])
    const { stdout } = await runProgram('ssh', [...suite.args(), '-s', 'here', 'greet'])
    expect(stdout).toBe('hello\n')
  })

  it('has none that is not configured, and nothing else where files are forced', async () => {
    suite.configure([])
    expect((await get()).exitCode).not.toBe(0)
    suite.configure(['ForceCommand internal-sftp'])
    expect(await suite.ssh(['echo hello'])).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: 'This service allows sftp connections only.\n',
    })
  })
})

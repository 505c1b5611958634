import { generateKeyPairSync } from 'node:crypto'
import { copyFileSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseKey, publicLine } from '../../src/ssh/keys.js'
import { closeBridges, openBridge } from '../helpers/bridge.js'
import { type ClientKeys, clientKeys } from '../helpers/client-keys.js'
import {
  also,
  CONCH,
  describeClient,
  ERLANG,
  GO,
  JSCH,
  JSCH_JAR,
  NET_SSH,
  NET_SSH2,
  PHPSECLIB,
} from '../helpers/clients.js'
import { HOST } from '../helpers/openssh.js'
import {
  type ProgramResult,
  runProgram,
  SSHJOB_KEYGEN,
  SSHJOB_SERVER,
  type StartOptions,
  startProgram,
} from '../helpers/programs.js'
import { echoSocket, serveSockets } from '../helpers/sockets.js'
import { starterSuite, type TestUser } from '../helpers/starter.js'

const program = (name: string): string => join(process.cwd(), 'test/interop/programs', name)

/** A job, and a folder of it that is empty. */
function jobSuite() {
  const { user, start } = starterSuite()
  let keys: ClientKeys
  let files: string
  beforeEach(async () => {
    files = mkdtempSync(join(user().folder, 'files-'))
    keys = await clientKeys(user())
    await start({ cwd: files })
  })
  const run = (
    command: string,
    args: readonly string[],
    options: StartOptions = {},
  ): Promise<ProgramResult> => runProgram(command, args, { env: user().env, cwd: user().folder, ...options })
  return { user, run, keys: () => keys, files: () => files }
}

/** What a program that gets there by the proxy is told. */
async function proxyArguments(
  { proxy, identities, knownHosts }: ClientKeys,
  files: string,
  identity = identities.ed25519,
): Promise<string[]> {
  const { port } = await serveSockets(echoSocket)
  return [proxy, identity, knownHosts, HOST, String(port), files]
}

/** What a program has printed, which has ended well and said nothing else. */
function printed(result: ProgramResult): unknown {
  expect(result).toMatchObject({ exitCode: 0, stderr: '' })
  return JSON.parse(result.stdout)
}

const COMMAND = ['a b\n', 'err\n', 7]

describeClient(GO, 'sessions, files and forwarding', () => {
  const suite = jobSuite()

  it('runs commands with variables, status and signal, 20 MB both ways, 20 at once, a terminal with its modes and resize; writes, reads, renames, links and lists files; forwards both ways', async () => {
    const { env, folder } = suite.user()
    const binary = join(folder, 'client')
    const built = await suite.run('go', ['build', '-o', binary, program('client.go')], {
      env: {
        ...env,
        GO111MODULE: 'off',
        GOPATH: '/usr/share/gocode',
        GOCACHE: join(folder, 'cache'),
        GOFLAGS: '',
      },
    })
    expect(built).toMatchObject({ exitCode: 0, stderr: '' })
    const result = await suite.run(binary, await proxyArguments(suite.keys(), suite.files()))
    expect(printed(result)).toEqual({
      command: COMMAND,
      signal: 'TERM',
      same: true,
      'statuses of 20 at once': 210,
      terminal: ['30', '90', 'vt100', '-echo', 'ready', '40', '120'],
      'terminal status': 5,
      file: true,
      names: ['link', 'made', 'renamed'],
      free: true,
      missing: true,
      forwarded: 'echo',
      'forwarded back': 'echo',
    })
  }, 120_000)
})

const IN_RUBY = {
  command: COMMAND,
  signal: 'TERM',
  same: true,
  terminal: ['30', '90', 'vt100'],
  file: true,
  names: ['local', 'renamed'],
  forwarded: 'echo',
}

/** It reads what `sshjob ssh-config` prints. */
async function rubyArguments(suite: ReturnType<typeof jobSuite>): Promise<string[]> {
  const { port } = await serveSockets(echoSocket)
  return ['-W0', program('client.rb'), suite.keys().config, HOST, String(port), suite.files()]
}

describeClient(NET_SSH, 'sessions, files and forwarding', () => {
  const suite = jobSuite()

  it('runs commands with variables, status and signal, 5 MB both ways, in a terminal; writes, renames, reads and lists files; forwards a port', async () => {
    expect(printed(await suite.run('ruby', await rubyArguments(suite)))).toEqual(IN_RUBY)
  })
})

describeClient(also(NET_SSH, 'scp'), "files, over the job's scp", () => {
  const suite = jobSuite()

  it('copies a file into the job and back', async () => {
    const result = await suite.run('ruby', [...(await rubyArguments(suite)), 'scp'])
    expect(printed(result)).toEqual({ ...IN_RUBY, scp: true })
  })
})

describeClient(NET_SSH2, 'sessions, files and forwarding', () => {
  const suite = jobSuite()

  it('runs commands with variables and status, 1 MB both ways, in a terminal; writes, renames, reads and lists files; forwards a port', async () => {
    const args = await proxyArguments(suite.keys(), suite.files())
    expect(printed(await suite.run('perl', [program('client.pl'), ...args]))).toEqual({
      command: COMMAND,
      same: true,
      terminal: ['30', '90', 'vt100'],
      file: true,
      names: ['renamed'],
      forwarded: 'echo',
    })
  })
})

describeClient(ERLANG, 'sessions and files', () => {
  const suite = jobSuite()
  closeBridges()

  it('runs commands with variables, status and signal, 3 MB both ways; writes, renames, reads and lists files', async () => {
    const keys = suite.keys()
    const { port, fingerprints } = await openBridge(suite.user())
    const folder = dirname(keys.identities.ed25519)
    const args = [String(port), `SHA256:${fingerprints.ecdsa}`, folder, suite.files()]
    const result = await suite.run('escript', [program('client.escript'), ...args])
    expect(result).toMatchObject({ exitCode: 0, stderr: '' })
    // It tells its user that it takes the strict key exchange.
    expect(
      result.stdout
        .replace(/=INFO REPORT=.*\n.*\n/, '')
        .trim()
        .split('\n'),
    ).toEqual([
      'command {<<"a b\\n">>,<<"err\\n">>,7}',
      'signal "TERM"',
      'same true',
      'file true',
      'names ["renamed"]',
      'missing {error,no_such_file}',
    ])
  })
})

describeClient(CONCH, 'commands and files', () => {
  const suite = jobSuite()
  closeBridges()

  /** It takes the public half of the key from a file beside it, and a host by its address alone. */
  async function connection(user: TestUser): Promise<string[]> {
    const keys = suite.keys()
    const [identity, knownHosts] = ['identity', 'known'].map((name) => join(user.folder, name))
    copyFileSync(keys.identities.ed25519, `${identity}`)
    const { stdout } = await suite.run(SSHJOB_KEYGEN, ['-y', '-f', `${identity}`])
    writeFileSync(`${identity}.pub`, stdout)
    const { port } = await openBridge(user)
    const known = keys.hostKeys().map((key) => `127.0.0.1 ${key}\n`)
    writeFileSync(`${knownHosts}`, known.join(''))
    return ['-i', `${identity}`, '-p', String(port), '-l', 'anybody', `--known-hosts=${knownHosts}`]
  }
  const env = (): NodeJS.ProcessEnv => ({ ...suite.user().env, PYTHONWARNINGS: 'ignore' })

  it('runs a command and gives its status', async () => {
    const args = [
      ...(await connection(suite.user())),
      '-e',
      'none',
      '127.0.0.1',
      'echo out; echo err >&2; exit 7',
    ]
    // It loses what it has read where its own input is at its end.
    const conch = startProgram('conch3', args, { env: env(), cwd: suite.user().folder })
    expect(await conch.ended).toEqual({ exitCode: 7, signal: null })
    expect([conch.stdout().toString(), conch.stderr().toString()]).toEqual(['out\n', 'err\n'])
  })

  it('puts, renames and gets a file', async () => {
    const { folder } = suite.user()
    const [data, back, batch] = ['data', 'back', 'batch'].map((name) => join(folder, name))
    writeFileSync(`${data}`, Buffer.alloc(1_000_001, 'data of a file\n'))
    writeFileSync(`${batch}`, `put ${data} up\nrename up renamed\nget renamed ${back}\n`)
    const args = [...(await connection(suite.user())), '-b', `${batch}`, '127.0.0.1']
    expect(await suite.run('cftp3', args, { env: env() })).toMatchObject({ exitCode: 0 })
    expect(await suite.run('cmp', [`${data}`, `${back}`])).toMatchObject({ exitCode: 0 })
  })
})

/** It knows neither the kinds of keys of the hello nor OpenSSH's format, and is served in sshd's place. */
function sshdSuite() {
  const { user } = starterSuite()
  const makeKey = () =>
    generateKeyPairSync('rsa', { modulusLength: 3_072 }).privateKey.export({ type: 'pkcs1', format: 'pem' })
  const publicOf = (key: string | Buffer): string => publicLine(parseKey(key.toString()))

  /** The command that serves a connection on its input and output, the client's key, and the host's. */
  function configure(): { server: string; identity: string; hostKey: string; files: string } {
    const { folder } = user()
    const file = (name: string, text: string | Buffer): string => {
      writeFileSync(join(folder, name), text, { mode: 0o600 })
      return join(folder, name)
    }
    const [host, client] = [makeKey(), makeKey()]
    const files = join(folder, 'files')
    mkdirSync(files)
    const config = file(
      'sshd_config',
      [
        `HostKey ${file('host', host)}`,
        `AuthorizedKeysFile ${file('keys', `${publicOf(client)}\n`)}`,
        'StrictModes no',
        'AcceptEnv *',
        'Subsystem sftp internal-sftp',
        '',
      ].join('\n'),
    )
    return {
      server: `'${process.execPath}' '${SSHJOB_SERVER}' -i -E '${join(folder, 'log')}' -f '${config}'`,
      identity: file('client', client),
      hostKey: publicOf(host),
      files,
    }
  }
  const run = (command: string, args: readonly string[]): Promise<ProgramResult> =>
    runProgram(command, args, { env: user().env, cwd: user().folder })
  return { user, configure, run }
}

describeClient(PHPSECLIB, 'commands and files, with RSA keys, in the place of sshd', () => {
  const suite = sshdSuite()

  it('runs a command with its status; puts, renames, gets and lists files', async () => {
    const { server, identity, hostKey, files } = suite.configure()
    const result = await suite.run('php', [program('client.php'), server, identity, hostKey, files])
    expect(printed(result)).toEqual({
      command: ['out\n', 'err\n', 7],
      file: true,
      same: true,
      names: ['renamed'],
      missing: false,
    })
  })
})

describeClient(JSCH, 'sessions, files and forwarding, with ECDSA keys', () => {
  const suite = jobSuite()

  it('runs commands with variables and status, 3 MB both ways, a shell in a terminal; puts, renames, gets and lists files; forwards a port', async () => {
    const { folder } = suite.user()
    const compiled = await suite.run('javac', ['-cp', JSCH_JAR, '-d', folder, program('Client.java')])
    expect(compiled).toMatchObject({ exitCode: 0, stderr: '' })
    const args = await proxyArguments(suite.keys(), suite.files(), suite.keys().identities.ecdsa)
    const result = await suite.run('java', ['-cp', `${JSCH_JAR}:${folder}`, 'Client', ...args])
    expect(result).toMatchObject({ exitCode: 0, stderr: '' })
    expect(result.stdout.trimEnd().split('\n')).toEqual([
      'command a b err 7',
      'same true',
      'shell true 3',
      'file true',
      'names [renamed]',
      'forwarded echo',
    ])
  }, 60_000)
})

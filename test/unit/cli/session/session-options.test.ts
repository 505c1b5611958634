import { parseSession } from '../../../../src/cli/session/session-options.js'
import type { SessionRequest } from '../../../../src/cli/session/session-request.js'
import { SshjobError } from '../../../../src/core/errors.js'

function parse(...args: string[]): SessionRequest {
  const call = parseSession(args)
  if (call.action !== 'run') throw new Error(`this asks for ${call.action}`)
  return call.request
}

function problem(...args: string[]): string {
  try {
    parse(...args)
  } catch (error) {
    if (error instanceof SshjobError && error.code === 'usage') return error.message
    throw error
  }
  throw new Error('no error was thrown')
}

const SEE = "Run 'sshjob --help' for the options."

describe('the arguments of a session', () => {
  it('are a shell with a terminal for a job alone', () => {
    expect(parse('train')).toEqual({
      job: 'train',
      command: [],
      subsystem: false,
      terminal: undefined,
      run: true,
      readInput: true,
      quiet: false,
      verbosity: 0,
      escape: 0x7e,
      waitMs: 0,
      proxyCommand: undefined,
      environment: new Map(),
      forwardings: [],
      stdioTarget: undefined,
      forwardAgent: false,
      forwardX11: undefined,
      engines: {},
      removeOnInterrupt: false,
      sentVariables: [],
      user: undefined,
      identityFiles: [],
    })
  })

  it('trust programs on the display with -Y alone, wherever it stands', () => {
    expect(parse('-X', 'train').forwardX11).toBe('untrusted')
    expect(parse('-Y', 'train').forwardX11).toBe('trusted')
    expect(parse('-YX', 'train').forwardX11).toBe('trusted')
    expect(parse('-XY', 'train').forwardX11).toBe('trusted')
    expect(parse('-oForwardX11Trusted=yes', '-X', 'train').forwardX11).toBe('trusted')
    expect(parse('-oForwardX11=yes', '-oForwardX11Trusted=no', 'train').forwardX11).toBe('untrusted')
    expect(parse('-oForwardX11Trusted=yes', 'train').forwardX11).toBeUndefined()
  })

  it('leave everything behind the first word of the command to it', () => {
    expect(parse('-t', 'train', 'ls', '-t', '--wait', '--', '-x').command).toEqual([
      'ls',
      '-t',
      '--wait',
      '--',
      '-x',
    ])
  })

  it('may stand behind the job, as with ssh, but not behind --', () => {
    expect(parse('train', '-v', '-l', 'me', 'ls', '-l')).toMatchObject({
      command: ['ls', '-l'],
      verbosity: 1,
      user: 'me',
    })
    expect(parse('train', '-L', '1:h:2', '-N')).toMatchObject({
      run: false,
      forwardings: [{ kind: 'local' }],
    })
    expect(parse('train', '--', '-v')).toMatchObject({ command: ['-v'], verbosity: 0 })
    expect(parse('-v', '--', 'train', '-v')).toMatchObject({ command: ['-v'], verbosity: 1 })
    expect(parseSession(['train', '--help']).action).toBe('help')
    expect(problem('train', '--frobnicate')).toBe(
      `There is no option --frobnicate. ${SEE} What the job's shell is to get stands behind 'train --'.`,
    )
  })

  it.each<[string, string[], Partial<SessionRequest>]>([
    [
      'unison',
      ['train', '-l', 'me', '-e', 'none', 'unison', '-server', '__new-rpc-mode'],
      { command: ['unison', '-server', '__new-rpc-mode'], user: 'me', escape: undefined },
    ],
    [
      'sshfs',
      ['-x', '-a', '-oClearAllForwardings=yes', '-2', 'train', '-s', 'sftp'],
      { command: ['sftp'], subsystem: true, forwardX11: undefined, forwardAgent: false },
    ],
    [
      'scp',
      [
        ...['-x', '-oPermitLocalCommand=no', '-oClearAllForwardings=yes', '-oRemoteCommand=none'],
        ...['-oRequestTTY=no', '-oForwardAgent=no', '-v', '-l', 'me', '-s', '--', 'train', 'sftp'],
      ],
      { command: ['sftp'], subsystem: true, terminal: 'never', user: 'me', verbosity: 1 },
    ],
    [
      'git',
      ['-o', 'SendEnv=GIT_PROTOCOL', '-4', '-p', '22', 'me@train', "git-upload-pack '/srv/x'"],
      { job: 'train', user: 'me', sentVariables: ['GIT_PROTOCOL'], command: ["git-upload-pack '/srv/x'"] },
    ],
    [
      'ansible',
      [
        ...['-C', '-o', 'ControlMaster=auto', '-o', 'ControlPersist=60s', '-o', 'StrictHostKeyChecking=no'],
        ...[
          '-o',
          'KbdInteractiveAuthentication=no',
          '-o',
          'ConnectTimeout=10',
          '-o',
          'ControlPath="/tmp/x y"',
        ],
        ...['-tt', 'train', "/bin/sh -c 'echo'"],
      ],
      { terminal: 'always', command: ["/bin/sh -c 'echo'"] },
    ],
    [
      'borg',
      [
        '-i',
        '/k',
        '-F',
        'none',
        '-S',
        'none',
        '-m',
        'x',
        '-c',
        'y',
        '-b',
        'z',
        '-B',
        'w',
        'train',
        'borg',
        'serve',
      ],
      { command: ['borg', 'serve'], identityFiles: ['/k'] },
    ],
  ])('are what %s passes to ssh', (_program, args, request) => {
    expect(parse(...args)).toMatchObject(request)
  })

  it('take from -o what has a meaning here, as ssh does: the first value, and its own options before it', () => {
    expect(
      parse(
        ...['-o', 'requesttty yes', '-o', 'RequestTTY=no', '-oEscapeChar=none', '-oForwardX11=yes', '-x'],
        ...[
          '-o',
          'LocalForward=8080 localhost:80',
          '-o',
          'RemoteForward 9090 localhost:90',
          '-oDynamicForward=1080',
        ],
        ...[
          '-oSendEnv=A B_*',
          '-oSetEnv=C=1 D="2 3"',
          '-oStdinNull=yes',
          '-oLogLevel=DEBUG',
          '-oUser=me',
          'j',
        ],
      ),
    ).toMatchObject({
      terminal: 'if-possible',
      escape: undefined,
      forwardX11: undefined,
      forwardings: [{ kind: 'local' }, { kind: 'remote' }, { kind: 'dynamic' }],
      sentVariables: ['A', 'B_*'],
      environment: new Map([
        ['C', '1'],
        ['D', '2 3'],
      ]),
      readInput: false,
      verbosity: 2,
      user: 'me',
    })
    expect(parse('-oLogLevel=ERROR', '-oSessionType=none', 'j')).toMatchObject({ quiet: true, run: false })
    expect(parse('-oSessionType=subsystem', 'j', 'sftp')).toMatchObject({ subsystem: true })
    expect(parse('-L', '1:h:2', '-D', '3', '-oClearAllForwardings=yes', 'j').forwardings).toEqual([])
    expect(parse('-oHostName=%h', '-oTunnel=no', '-oProxyJump=none', '-oPort=22', 'j').job).toBe('j')
  })

  it('show what the job is called, as ssh -G does', () => {
    expect(parseSession(['-G', '-p', '22', 'j'])).toMatchObject({ action: 'show', request: { job: 'j' } })
  })

  it('leave an @ in the name of what a command leads to', () => {
    expect(parse('--proxy-command', 'x %h', 'me@there')).toMatchObject({ job: 'me@there', user: undefined })
  })

  it('take one -- behind the job as the mark of the command', () => {
    expect(parse('train', '--', 'ls', '--', 'x').command).toEqual(['ls', '--', 'x'])
  })

  it('reach a job that is named like a subcommand, or like an option, behind --', () => {
    expect(parse('--', 'ls').job).toBe('ls')
    expect(parse('-v', '--', '-t', 'true')).toMatchObject({ job: '-t', command: ['true'], verbosity: 1 })
  })

  it('count -t and -v, alone or together', () => {
    expect(parse('-t', 'j').terminal).toBe('if-possible')
    expect(parse('-tt', 'j').terminal).toBe('always')
    expect(parse('-t', '-t', 'j').terminal).toBe('always')
    expect(parse('-T', 'j').terminal).toBe('never')
    expect(parse('-vvv', 'j').verbosity).toBe(3)
    expect(parse('-Nqv', 'j')).toMatchObject({ run: false, quiet: true, verbosity: 1 })
  })

  it('take the escape character beside its option or behind it', () => {
    expect(parse('-e', 'none', 'j').escape).toBeUndefined()
    expect(parse('-e^]', 'j').escape).toBe(0x1d)
    expect(parse('-te%', 'j')).toMatchObject({ escape: 0x25, terminal: 'if-possible' })
  })

  it('do not take the job for the value of --wait', () => {
    expect(parse('--wait', 'train')).toMatchObject({ job: 'train', waitMs: Number.POSITIVE_INFINITY })
    expect(parse('--wait=1.5', 'train')).toMatchObject({ job: 'train', waitMs: 1_500 })
  })

  it('collect variables, whose values may hold anything', () => {
    const { environment } = parse('--env', 'A=1=2', '--env=B=', '--env', 'A=3', 'j')
    expect([...environment]).toEqual([
      ['A', '3'],
      ['B', ''],
    ])
  })

  it('take a proxy command as one word', () => {
    expect(parse('--proxy-command', 'docker exec -i %h sshjob-server -i', 'c').proxyCommand).toBe(
      'docker exec -i %h sshjob-server -i',
    )
  })

  it.each([['-h'], ['--help'], ['-V'], ['--version']])('%s wants no job', (option) => {
    expect(parseSession([option]).action).toBe(/^-+h/.test(option) ? 'help' : 'version')
  })

  it.each([
    [[], "Which job? Give its name, or see 'sshjob ls' for those that run here."],
    [['-Z', 'j'], 'There is no option -Z.'],
    [['-f', 'j'], "-f can't be had: end the line with & instead."],
    [['-g', 'j'], "-g can't be had: say where to listen, as in -L '*:8080:localhost:80'."],
    [['-J', 'h', 'j'], "-J can't be had: run sshjob there: 'ssh -t HOST sshjob JOB'."],
    [['-O', 'exit', 'j'], "-O can't be had: connections are not shared."],
    [['-w', '0', 'j'], "-w can't be had: forward single ports, with -L, -R or -D."],
    [['-p', '2222', 'j'], 'A job is reached by its name alone, and has no port 2222 for SSH.'],
    [['-oPort=2222', 'j'], 'A job is reached by its name alone, and has no port 2222 for SSH.'],
    [['-oFoo=1', 'j'], '-o Foo: ssh_config(5) has no such keyword.'],
    [['-oconstructor=1', 'j'], '-o constructor: ssh_config(5) has no such keyword.'],
    [['-o', 'User', 'j'], "-o takes KEYWORD=VALUE, not 'User'."],
    [['-oForwardAgent=maybe', 'j'], "-o ForwardAgent takes yes, no, not 'maybe'."],
    [['-oHostName=other', 'j'], "-o HostName=other can't be had: a job is reached by its own name."],
    [['-oRemoteCommand=ls', 'j'], "-o RemoteCommand=ls can't be had: say the command behind JOB."],
    [
      ['-oProxyCommand=x', 'j'],
      "-o ProxyCommand=x can't be had: say --proxy-command, whose command leads to 'sshjob-server -i'.",
    ],
    [['-oSetEnv=x', 'j'], "SetEnv takes NAME=VALUE, not 'x'."],
    [['-s', 'j'], '-s takes the name of a subsystem: sftp.'],
    [
      ['-it', 'j', 'bash'],
      "-it is of docker and kubectl: 'sshjob JOB' is a terminal, 'sshjob -t JOB COMMAND' a command in one.",
    ],
    [
      ['j', '-ti', 'bash'],
      "-ti is of docker and kubectl: 'sshjob JOB' is a terminal, 'sshjob -t JOB COMMAND' a command in one.",
    ],
    [['--frobnicate', 'j'], 'There is no option --frobnicate.'],
    [['--constructor', 'j'], 'There is no option --constructor.'],
    [['-e'], '-e needs a value: CHAR.'],
    [['-e', 'xy', 'j'], "-e takes one character, ^X or 'none', not 'xy'."],
    [['--quiet=yes', 'j'], '--quiet takes no value.'],
    [['--env', 'NAME', 'j'], "--env takes NAME=VALUE, not 'NAME'."],
    [['--env', '=x', 'j'], "--env takes NAME=VALUE, not '=x'."],
    [['--wait=soon', 'j'], "--wait takes a number of seconds, as in --wait=60, not 'soon'."],
    [['--wait=-1', 'j'], "--wait takes a number of seconds, as in --wait=60, not '-1'."],
    [['--proxy-command', ' ', 'j'], '--proxy-command needs a command.'],
    [['-N', 'j', 'true'], '-N runs nothing, so it takes no command.'],
  ])('%j is refused with a sentence', (args, sentence) => {
    expect(problem(...args)).toBe(`${sentence} ${SEE}`)
  })
})

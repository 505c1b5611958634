import { parseSession, type SessionRequest } from '../../../src/cli/session-options.js'
import { SshjobError } from '../../../src/core/errors.js'

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

describe('the arguments of a session', () => {
  it('are a shell with a terminal for a job alone', () => {
    expect(parse('train')).toEqual({
      job: 'train',
      command: [],
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
      htcondor: { name: undefined, pool: undefined },
      removeOnInterrupt: false,
    })
  })

  it('trust programs on the display with -Y alone, wherever it stands', () => {
    expect(parse('-X', 'train').forwardX11).toBe('untrusted')
    expect(parse('-Y', 'train').forwardX11).toBe('trusted')
    expect(parse('-YX', 'train').forwardX11).toBe('trusted')
    expect(parse('-XY', 'train').forwardX11).toBe('trusted')
  })

  it('leave everything behind the job to the command', () => {
    expect(parse('-t', 'train', 'ls', '-t', '--wait', '--', '-x').command).toEqual([
      'ls',
      '-t',
      '--wait',
      '--',
      '-x',
    ])
    expect(parse('train', '-v')).toMatchObject({ command: ['-v'], verbosity: 0 })
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

  const SEE = "Run 'sshjob --help' for the options."
  it.each([
    [[], "Which job? Give its name, or see 'sshjob ls' for those that run here."],
    [['-x', 'j'], 'There is no option -x.'],
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

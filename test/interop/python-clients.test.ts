import { join } from 'node:path'
import { ASYNCSSH, describeClient, PARAMIKO } from '../helpers/clients.js'
import { findPythonWith } from '../helpers/needs.js'
import { writeSshConfig } from '../helpers/openssh.js'
import { runProgram, SSHJOB } from '../helpers/programs.js'
import { starterSuite } from '../helpers/starter.js'

/** Runs one of the scripts in python/; gives what it has printed. */
async function runScript(suite: ReturnType<typeof starterSuite>, module: string): Promise<unknown> {
  const { env, folder } = suite.user()
  await writeSshConfig(suite.user()) // makes the identity
  const files = join(folder, 'run/sshjob/openssh')
  const script = join(process.cwd(), 'test/interop/python', `${module}_client.py`)
  const proxy = `${process.execPath} ${SSHJOB} proxy train.job`
  const args = ['-W', 'ignore', script, proxy, join(files, 'id_ed25519'), join(files, 'known_hosts')]
  const result = await runProgram(findPythonWith(module) ?? 'python3', args, {
    // Where the user has no account, asyncssh wants to be told its name.
    env: { ...env, LOGNAME: 'anybody' },
  })
  expect(result).toMatchObject({ exitCode: 0, stderr: '' })
  const printed: unknown = JSON.parse(result.stdout)
  return printed
}

const COUNTED = Array.from({ length: 10 }, (_, n) => n)

describeClient(PARAMIKO, 'sessions', () => {
  const suite = starterSuite()

  it('runs commands with status, stderr and variables, 10 MB both ways, ten channels at once, a terminal and its resize, a shell, keepalives, new keys', async () => {
    await suite.start()
    expect(await runScript(suite, 'paramiko')).toEqual({
      stdout: 'out\n',
      stderr: 'err\n',
      status: 7,
      signal: -1,
      environment: 'a b\n',
      same: true,
      channels: COUNTED,
      terminal: ['30', '90', 'vt100'],
      resized: ['40', '120'],
      'terminal status': 5,
      'shell status': 3,
      'after new keys': 'still\n',
    })
  })
})

describeClient(ASYNCSSH, 'sessions', () => {
  const suite = starterSuite()

  it('runs commands with status, signals both ways, and variables, 10 MB both ways, ten channels at once, a terminal with its modes and resize, a break, a refused port', async () => {
    await suite.start()
    expect(await runScript(suite, 'asyncssh')).toEqual({
      result: ['out\n', 'err\n', 7],
      signal: ['SEGV', 'terminated by signal SEGV', -11],
      'sent signal': ['got it\n', 4],
      killed: 'KILL',
      environment: 'a b\n',
      same: true,
      channels: COUNTED,
      terminal: ['30', '90', 'vt100'],
      resized: ['40', '120'],
      'terminal status': 5,
      modes: [true, true],
      'after a break': 'after the break',
      'refused port': 'No connection to localhost:1: nobody listens there.',
    })
  })
})

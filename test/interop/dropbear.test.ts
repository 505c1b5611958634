import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { DBCLIENT, describeClient } from '../helpers/clients.js'
import { readUntil, startIn, TERMINAL, testJob } from '../helpers/job-session.js'
import { environmentOf, HOST, quoteWords, writeSshConfig } from '../helpers/openssh.js'
import { type RunningProgram, runProgram, SSHJOB, startProgram } from '../helpers/programs.js'
import { starterSuite } from '../helpers/starter.js'

const sha256 = (data: Buffer): string => createHash('sha256').update(data).digest('hex')

describeClient(DBCLIENT, 'commands and terminals', () => {
  const { user, start } = starterSuite()
  let key: string

  beforeAll(async () => {
    const { env, folder } = user()
    await writeSshConfig(user()) // makes the identity
    const files = join(folder, 'run/sshjob/openssh')
    key = join(folder, 'key')
    const identity = join(files, 'id_ed25519')
    const converted = await runProgram('dropbearconvert', ['openssh', 'dropbear', identity, key], { env })
    expect(converted).toMatchObject({ exitCode: 0 })
    // It has the format of OpenSSH, and the proxy keeps it.
    mkdirSync(join(folder, 'home/.ssh'))
    symlinkSync(join(files, 'known_hosts'), join(folder, 'home/.ssh/known_hosts'))
  })
  beforeEach(() => start())

  function dbclientArgs(...more: string[]): string[] {
    // Of several keys of a host, dbclient knows the first only; each session has its own.
    const known = join(user().folder, 'run/sshjob/openssh/known_hosts')
    const proxy = `sh -c "rm -f '${known}'; exec ${process.execPath} ${SSHJOB} proxy ${HOST}"`
    return ['-J', proxy, '-i', key, `anybody@${HOST}`, ...more]
  }
  const dbclient = (command: string, stdin: string | Buffer = ''): RunningProgram =>
    startProgram('dbclient', dbclientArgs(command), { env: user().env, stdin })

  it('runs a command, knows its host key, and gives the exit status', async () => {
    const program = dbclient('echo out; echo err >&2; exit 7')
    expect(await program.ended).toEqual({ exitCode: 7, signal: null })
    expect(program.stdout().toString()).toBe('out\n')
    expect(program.stderr().toString()).toContain('err\n')
    expect(program.stderr().toString()).not.toMatch(/not in the trusted hosts file/)
  })

  it('passes 10 MB both ways, unchanged', async () => {
    const data = randomBytes(10_000_000)
    const program = dbclient('cat', data)
    expect(await program.ended).toEqual({ exitCode: 0, signal: null })
    expect(sha256(program.stdout())).toBe(sha256(data))
  })

  it('refuses another host key than the known one', async () => {
    const proxy = `${process.execPath} ${SSHJOB} proxy ${HOST}`
    const args = ['-J', proxy, '-i', key, `anybody@${HOST}`, 'echo reached']
    await runProgram('dbclient', args, { env: user().env })
    const second = await runProgram('dbclient', args, { env: user().env })
    expect(second).toMatchObject({ exitCode: 1, stdout: '' })
    expect(second.stderr).toMatch(/host key mismatch/i)
  })

  it('gets a terminal with -t', async () => {
    const command = quoteWords(['dbclient', '-t', ...dbclientArgs('stty size; echo $TERM; tty; exit 4')])
    const session = await startIn(testJob({ environment: environmentOf(user()) }), `exec ${command}`, {
      terminal: TERMINAL,
    })
    const output = await readUntil(session, '/dev/pts/')
    expect(output).toMatch(/24 80\r\nxterm\r\n\/dev\/pts\//)
    expect(await session.ended).toEqual({ exitCode: 4 })
  })
})

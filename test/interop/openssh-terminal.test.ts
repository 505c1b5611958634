import type { JobProcess } from '../../src/job/job.js'
import { describeClient, SSH } from '../helpers/clients.js'
import { readUntil, startIn, TERMINAL, testJob } from '../helpers/job-session.js'
import { environmentOf, HOST, quoteWords, sshOf } from '../helpers/openssh.js'
import { expectGone } from '../helpers/processes.js'
import { starterSuite } from '../helpers/starter.js'

describeClient(SSH, 'terminals', () => {
  const { user, start } = starterSuite()
  const ssh = sshOf(user)

  beforeEach(() => start({ env: { PS1: 'inside$ ', ENV: '' } }))

  /** Runs ssh in a terminal on our side, after commands that change that terminal. */
  function sshInTerminal(before: string, ...args: string[]): Promise<JobProcess> {
    const environment = environmentOf(user())
    const words = quoteWords(ssh.args(...args))
    return startIn(testJob({ environment }), `${before}exec ssh ${words}`, {
      terminal: { ...TERMINAL, columns: 101, rows: 31, width: 1010, height: 620 },
    })
  }

  it('takes a script that is typed into a shell, and echoes it', async () => {
    const typed = 'tty; test -t 0 -a -t 1 -a -t 2 && echo a$((20+3))z; exit 9\n'
    const result = await ssh.run(['-tt', HOST], { stdin: typed })
    expect(result.exitCode).toBe(9)
    expect(result.stdout).toMatch(/^Welcome to .*!\r\nYour job train is running with pid\(s\) \d+\.\r\n/)
    expect(result.stdout).toContain('echo a$((20+3))z; exit 9\r\n')
    expect(result.stdout).toMatch(/\/dev\/pts\/\d+\r\n/)
    expect(result.stdout).toContain('a23z\r\n')
  })

  it('runs a command in a terminal with -t, without a greeting', async () => {
    const session = await sshInTerminal('', '-t', HOST, 'stty size; echo $TERM $SSH_TTY; exit 4')
    const output = await readUntil(session, '/dev/pts/')
    expect(output).toMatch(/^31 101\r\nxterm \/dev\/pts/)
    expect(await session.ended).toEqual({ exitCode: 4 })
  })

  it('follows the size of the window', async () => {
    const session = await sshInTerminal(
      '',
      '-t',
      HOST,
      'trap "stty size; exit" WINCH; echo ready; while :; do sleep 0.05; done',
    )
    await readUntil(session, 'ready')
    session.resize({ columns: 132, rows: 43, width: 0, height: 0 })
    await readUntil(session, '43 132')
    expect(await session.ended).toEqual({ exitCode: 0 })
  })

  it('begins with the settings of the terminal that ssh runs in', async () => {
    const settings = 'stty -ixon -echoctl ixany erase ^H intr ^G susp undef; '
    const session = await sshInTerminal(settings, '-t', HOST, 'stty -a; echo end')
    const output = await readUntil(session, 'end')
    for (const setting of [
      /erase = \^H;/,
      /intr = \^G;/,
      /susp = <undef>;/,
      / -ixon /,
      / -echoctl /,
      / ixany /,
    ]) {
      expect(output).toMatch(setting)
    }
    // And what was not changed is as it always is.
    expect(output).toMatch(/ quit = \^\\;/)
    await session.ended
  })

  it('interrupts the command that runs in the foreground, and hangs up with ~.', async () => {
    const session = await sshInTerminal('', HOST)
    await readUntil(session, 'inside$ ')
    // Before it runs, bash itself would be what is interrupted.
    session.stdin.write("sh -c 'echo run-ning | tr -d -; exec sleep 1000' || echo status $?\r")
    await readUntil(session, 'running\r\n')
    session.stdin.write('\u0003')
    await readUntil(session, 'inside$ ')
    session.stdin.write("echo [$$] | tr [] '<>'\r")
    const output = await readUntil(session, '>\r\n')
    const shell = Number(/<(\d+)>/.exec(output)?.[1])
    session.stdin.write('\r~.')
    expect(await session.ended).toEqual({ exitCode: 255 })
    await expectGone(shell)
  })

  it('refuses a break (~B), as a pseudo-terminal has no line to break, and goes on', async () => {
    const session = await sshInTerminal('', '-v', HOST)
    await readUntil(session, 'inside$ ')
    session.stdin.write('\r~B')
    await readUntil(session, 'inside$ ')
    session.stdin.write('exit 3\r')
    expect(await session.ended).toEqual({ exitCode: 3 })
  })

  it('asks for new keys in the middle (~R)', async () => {
    const session = await sshInTerminal('', '-v', HOST)
    await readUntil(session, 'inside$ ')
    session.stdin.write('\r~R')
    await readUntil(session, 'SSH2_MSG_NEWKEYS received')
    session.stdin.write('echo after $((1+1))\r')
    await readUntil(session, 'after 2\r\n')
    session.stdin.write('exit\r')
    expect(await session.ended).toEqual({ exitCode: 0 })
  })
})

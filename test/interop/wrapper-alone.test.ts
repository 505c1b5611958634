import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { wrapperScript } from '../../src/cli/server/wrapper/wrapper-script.js'
import { asBatchSystem, wrap } from '../helpers/batch-system.js'
import { describeAsRoot, describeWith, describeWithMounts } from '../helpers/needs.js'
import { expectGone, isAlive, serverOf } from '../helpers/processes.js'
import { runProgram, SSHJOB, SSHJOB_SERVER, startProgram } from '../helpers/programs.js'
import { SHELLS } from '../helpers/shells.js'
import { starterSuite } from '../helpers/starter.js'

const RUNS = "The job runs all the same, and can't be entered."

describe.each(SHELLS)(
  'a job whose server can not be started, in front of it sshjob-server run by %s',
  (_name, shell) => {
    const { user } = starterSuite()
    /** A `node` that is none, alone in PATH. */
    const fakeNode = (name: string, script: string): NodeJS.ProcessEnv => {
      const folder = join(user().folder, name)
      mkdirSync(folder, { recursive: true })
      writeFileSync(join(folder, 'node'), `#!/bin/sh\n${script}\n`)
      chmodSync(join(folder, 'node'), 0o755)
      return { ...user().env, PATH: folder }
    }
    const run = (env: NodeJS.ProcessEnv, options: readonly string[] = []) => {
      // Its children would be somebody else's to it, as ours are.
      const script = 'read line; echo "got $line"; cat /proc/$$/task/$$/children; exit 4'
      const [program = '', ...args] = wrap(shell, ['/bin/sh', '-c', `PATH=/usr/bin:/bin; ${script}`], options)
      return runProgram(program, args, { env, stdin: 'in\n' })
    }
    const OUTPUT = /^got in\n\d+ \n?$/

    it.each([
      ['crashes', 'echo noise >&2; kill -SEGV $$', 'Node.js ended before it had started the job.'],
      ['is too old', 'echo noise >&2; exit 9', 'Node.js ended before it had started the job.'],
    ])('since Node.js %s, runs all the same', async (name, script, why) => {
      const result = await run(fakeNode(name.replaceAll(' ', '-'), script))
      expect(result).toEqual({
        exitCode: 4,
        signal: null,
        stdout: expect.stringMatching(OUTPUT),
        stderr: `sshjob-server: ${why} ${RUNS}\n`,
      })
      expect(await run(fakeNode('again', script), ['--require-session'])).toMatchObject({
        exitCode: 255,
        stdout: '',
        stderr: `sshjob-server: ${why} The job was not started, as --require-session says.\n`,
      })
    })

    it('since Node.js is not there, runs all the same, also without a PATH', async () => {
      for (const PATH of ['/nowhere', '', undefined]) {
        const { PATH: _, ...env } = user().env
        const result = await run(PATH === undefined ? env : { ...env, PATH })
        // A shell that was given none has one of its own, in which there may be a Node.js.
        expect([PATH, result.exitCode, OUTPUT.test(result.stdout)]).toEqual([PATH, 4, true])
        if (PATH !== undefined) {
          expect(result.stderr).toBe(
            `sshjob-server: There is no Node.js: neither beside this program nor in PATH. ${RUNS}\n`,
          )
        }
      }
    })

    it('since Node.js hangs, as on a file system that does not answer, runs when that has taken too long', async () => {
      const template = readFileSync(join(process.cwd(), 'src/cli/server/wrapper/wrapper.sh'), 'utf8')
      const impatient = join(user().folder, 'impatient')
      writeFileSync(impatient, wrapperScript(template.replaceAll('@NODE_START_DEADLINE_SECONDS@', '1')))
      const env = fakeNode('hangs', 'PATH=/usr/bin:/bin exec sleep 1000')
      const [program = '', ...args] = [...shell, impatient, '--', '/bin/sh', '-c', 'echo ran; exit 4']
      expect(await runProgram(program, args, { env })).toEqual({
        exitCode: 4,
        signal: null,
        stdout: 'ran\n',
        stderr: `sshjob-server: Node.js had not started after 1 s. ${RUNS}\n`,
      })
    })

    it('goes on when its server is killed, gets its signals, and is waited for', async () => {
      const script = 'trap "echo usr1" USR1; echo up; while [ ! -e "$1" ]; do sleep 0.05; done; echo end'
      const flag = join(user().folder, 'end-it')
      const [program = '', ...args] = wrap(shell, ['sh', '-c', script, 'sh', flag], ['--log-level', 'info'])
      const starter = startProgram(program, args, { env: user().env })
      await starter.waitFor(/job started/)
      await starter.waitFor(/up/)
      process.kill(serverOf(starter.pid), 'SIGKILL')
      await starter.waitFor(/exit status is lost/)
      starter.kill('SIGUSR1')
      await starter.waitFor(/usr1/)
      writeFileSync(flag, '')
      expect(await starter.ended).toEqual({ exitCode: 255, signal: null })
      expect(starter.stdout().toString()).toBe('up\nusr1\nend\n')
      expect(starter.stderr().toString()).toMatch(
        /^sshjob-server: Node\.js has ended: the job goes on as process \d+, can't be entered any more, and its exit status is lost\.\n$/m,
      )
    })

    it('is killed with what is in front of it, and its sessions end', async () => {
      const [program = '', ...args] = wrap(
        shell,
        ['sh', '-c', 'echo up $$; exec sleep 1000'],
        ['--job-id', 'killed'],
      )
      const starter = startProgram(program, args, { env: user().env })
      await starter.waitFor(/up \d+/)
      const session = startProgram(SSHJOB, ['killed', 'echo in $$; exec sleep 1000'], { env: user().env })
      await session.waitFor(/in \d+/)
      const pids = [starter, session].map(({ stdout }) => Number(/\d+/.exec(stdout().toString())?.[0]))
      const server = serverOf(starter.pid)
      starter.kill('SIGKILL')
      await Promise.all([...pids, server].map(expectGone))
      expect((await session.ended).exitCode).toBe(255)
      expect(session.stderr().toString()).toContain('The job killed was ended by SIGKILL.')
    })

    it('is found through a link, also without a PATH', async () => {
      const link = join(user().folder, 'sshjob-server')
      symlinkSync(join(SSHJOB_SERVER, '../sshjob-server'), link)
      symlinkSync(process.execPath, join(user().folder, 'node'))
      const { PATH: _, ...env } = user().env
      const [program = '', ...args] = [...shell, link, '-q', '--require-session', '--', '/bin/echo', 'ran']
      expect(await runProgram(program, args, { env: { ...env, PATH: '' } })).toEqual({
        exitCode: 0,
        signal: null,
        stdout: 'ran\n',
        stderr: '',
      })
    })
  },
)

describeWith(['python3'], 'a job whose server can not be started for want of processes', () => {
  const { user } = starterSuite()

  it.each(SHELLS)('in front of it sshjob-server run by %s, runs all the same', async (_name, shell) => {
    const template = readFileSync(join(process.cwd(), 'src/cli/server/wrapper/wrapper.sh'), 'utf8')
    // 64 are enough by number, and too few since they are taken. Root has no limit, and another user can't read our files.
    const setup = `
os.setgroups([]) if os.geteuid() == 0 else None
os.setresgid(54322, 54322, 54322) if os.geteuid() == 0 else None
os.setresuid(54322, 54322, 54322) if os.geteuid() == 0 else None
reader, writer = os.pipe()
for _ in range(64):
    if os.fork() == 0:
        os.close(writer)
        os.read(reader, 1)
        os._exit(0)
os.set_inheritable(os.dup2(writer, 20), True)
resource.setrlimit(resource.RLIMIT_NPROC, (64, 64))
`
    const seen = await asBatchSystem(
      user(),
      [...shell, '-c', wrapperScript(template), '/nowhere/server', '--', '/bin/echo', 'ran'],
      [],
      { setup },
    )
    expect(seen).toMatchObject({ seen: [['exit', 0]], stdout: 'ran\n' })
    // dash and busybox say it as well, before they could have been silenced.
    expect(seen.stderr).toMatch(
      /^(.*fork.*\n)?sshjob-server: .* The job runs all the same, and can't be entered\.\n$/,
    )
  })
})

describeAsRoot('as the first process of a container', () => {
  describeWithMounts('sshjob-server', () => {
    const { user } = starterSuite()

    it.each(SHELLS)(
      'run by %s reaps orphans, hands signals on, and ends with the job',
      async (_name, shell) => {
        const script = [
          'for i in $(seq 200); do (sh -c "exec sleep 0.1" &); done',
          'while grep -qs sleep /proc/[0-9]*/comm; do :; done; sleep 1.2',
          'echo "zombies: $(grep -ls "^State:.Z" /proc/[0-9]*/status | wc -l)"',
          'trap "echo term; exit 5" TERM; kill -TERM 1; while :; do sleep 0.05; done',
        ].join('\n')
        const [program = '', ...args] = wrap(shell, ['sh', '-c', script])
        const inside = ['--pid', '--fork', '--mount-proc', program, ...args]
        expect(await runProgram('unshare', inside, { env: user().env })).toEqual({
          exitCode: 5,
          signal: null,
          stdout: 'zombies: 0\nterm\n',
          stderr: '',
        })
      },
    )

    it('can not be ended by a signal, and says which it was by its status', async () => {
      for (const [, shell] of SHELLS) {
        const [program = '', ...args] = wrap(shell, ['sh', '-c', 'kill -QUIT $$'])
        const inside = ['--pid', '--fork', '--mount-proc', program, ...args]
        expect((await runProgram('unshare', inside, { env: user().env })).exitCode).toBe(131)
      }
    })
  })
})

describeWith(['python3'], 'a job with sshjob-server in front of it outlives its terminal', () => {
  const { user } = starterSuite()

  it.each(SHELLS)('with nohup, which is run by %s', async (name, shell) => {
    const flag = join(user().folder, `over-${name}`)
    const output = join(user().folder, 'output')
    const script = 'echo $$ >"$1.pid"; while [ ! -e "$1" ]; do sleep 0.05; done; echo end'
    const command = ['nohup', ...wrap(shell, ['sh', '-c', script, 'sh', flag])]
    // The leader of the terminal's session ends, and the kernel hangs up on all that are in it.
    const leader = `"$@" >"$0" 2>&1 & while [ ! -s "$1.pid" ]; do sleep 0.05; done`
    const python = `import pty, sys; pty.spawn(sys.argv[1:])`
    const inTerminal = ['sh', '-c', leader.replace('$1.pid', `${flag}.pid`), output, ...command]
    await runProgram('python3', ['-c', python, ...inTerminal], { env: user().env })
    const pid = Number(readFileSync(`${flag}.pid`, 'utf8'))
    await delay(500)
    expect(isAlive(pid)).toBe(true)
    writeFileSync(flag, '')
    await expectGone(pid)
    while (!readFileSync(output, 'utf8').includes('end')) await delay(20)
    expect(readFileSync(output, 'utf8')).toBe('end\n')
  })
})

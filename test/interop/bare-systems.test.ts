import { chmodSync, cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describeWith, describeWithMounts } from '../helpers/needs.js'
import { expectGone } from '../helpers/processes.js'
import { type ProgramResult, runProgram, SSHJOB, SSHJOB_SERVER, startProgram } from '../helpers/programs.js'
import { SHELLS } from '../helpers/shells.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

/** What a system may lack, as commands that take it away. */
const LACKS = {
  nothing: ':',
  'no /proc': 'mount -t tmpfs none /proc',
  'no /dev/ptmx': `mkdir dev && mount --bind dev dev && for f in null zero urandom; do touch dev/$f; mount --bind /dev/$f dev/$f; done; mount --rbind dev /dev`,
  'a /dev/ptmx that can not be opened':
    'mount --bind /dev/null /dev/pts/ptmx && mount --bind /dev/null /dev/ptmx',
  'no /bin/sh': 'mount --bind /dev/null "$(readlink -f /bin/sh)"',
  'no bash': 'mount --bind /dev/null "$(readlink -f /bin/bash)"',
}

describeWithMounts('a system with', () => {
  const folder = temporaryDirectory()
  let count = 0

  /** Runs a job and then this script beside it, on a system that lacks something. */
  async function run(
    lack: string,
    job: string,
    script: string,
    env: NodeJS.ProcessEnv = {},
  ): Promise<ProgramResult> {
    const place = join(folder(), String(count++))
    mkdirSync(place, { mode: 0o700 })
    const file = join(place, 'script')
    // A shell that was started before anything is taken away, and goes on.
    writeFileSync(
      file,
      `${lack} || exit 99
        sshjob() { "$NODE" ${SSHJOB} "$@"; }
        "$NODE" ${SSHJOB_SERVER} -q --log-level info --job-id bare -- ${job} &
        server=$!
        until sshjob ls 2>/dev/null | grep -q bare || ! kill -0 $server; do sleep 0.05; done
        ${script}
        kill $server; wait $server; echo "server $?"\n`,
    )
    chmodSync(file, 0o755)
    return runProgram('unshare', ['-m', 'bash', file], {
      cwd: place,
      env: {
        PATH: process.env.PATH,
        HOME: place,
        SSHJOB_RUNTIME_DIR: join(place, 'run'),
        NODE: process.execPath,
        ...env,
      },
    })
  }

  const COMMANDS = `sshjob bare 'echo out; echo err >&2; exit 4'; echo "status $?"
    echo 'exit 5' | sshjob bare | cat; echo "status \${PIPESTATUS[1]}"`
  const EXPECTED = 'out\nstatus 4\nstatus 5\n'

  it.each(Object.entries(LACKS))('%s runs jobs, and commands in them', async (_title, lack) => {
    const job = lack.includes('/bin/sh') ? 'bash -c "exec sleep 1000"' : 'sh -c "exec sleep 1000"'
    const { stdout, stderr } = await run(lack, job, COMMANDS)
    expect(stdout).toBe(`${EXPECTED}server 143\n`)
    expect(stderr).toMatch(/^err\n/m)
  })

  it.each(['nothing', 'no /proc', 'no /bin/sh', 'no bash'] as const)('%s has terminals', async (title) => {
    const job = title === 'no /bin/sh' ? 'bash -c "exec sleep 1000"' : 'sh -c "exec sleep 1000"'
    const { stdout } = await run(
      LACKS[title],
      job,
      `sshjob -tt bare 'tty; test -t 2; exit 6' </dev/null; echo "status $?"`,
    )
    expect(stdout).toMatch(/^\/dev\/pts\/\d+\r\nstatus 6\nserver 143\n$/)
  })

  it.each(['no /dev/ptmx', 'a /dev/ptmx that can not be opened'] as const)('%s says so', async (title) => {
    const script = `sshjob -tt bare true </dev/null; echo "status $?"`
    const { stdout, stderr } = await run(LACKS[title], 'sleep 1000', script)
    expect(stdout).toBe('status 255\nserver 143\n')
    expect(stderr).toMatch(/^sshjob: No terminal can be opened, \/dev\/ptmx: [a-z ]+ \(E[A-Z]+\)\.$/m)
  })

  it('no /proc ends the command whose client has gone', async () => {
    const script = `sshjob bare 'echo pid $$; exec sleep 1000' > said & client=$!
      until grep -q pid said; do sleep 0.05; done; kill -9 $client; cat said`
    const { stdout } = await run(LACKS['no /proc'], 'sleep 1000', script)
    await expectGone(Number(/pid (\d+)/.exec(stdout)?.[1]))
  })

  describeWith(['busybox'], 'busybox', () => {
    it('for its shell has the sessions of a server that was killed ended', async () => {
      const lack = 'mount --bind "$(command -v busybox)" "$(readlink -f /bin/sh)"'
      const script = `job=$(sshjob bare 'echo $SSHJOB_JOB_PIDS')
        sshjob bare 'echo pid $$; trap : HUP; while :; do sleep 0.1; done' > said & client=$!
        until grep -q pid said; do sleep 0.05; done
        kill -9 $server; wait $client; kill $job; cat said`
      const { stdout } = await run(lack, 'sleep 1000', script)
      await expectGone(Number(/pid (\d+)/.exec(stdout)?.[1]))
    })
  })

  it('no bash hands on variables whose names no shell can export, to the job and to sessions', async () => {
    const odd = { 'a.b': '1', 'a-b': '2', 'BASH_FUNC_module%%': '() {  echo module\n}' }
    const job = `sh -c 'cat /proc/$$/environ; exec sleep 1000'`
    const { stdout } = await run(LACKS['no bash'], job, `sshjob bare 'cat /proc/$$/environ'`, odd)
    for (const [name, value] of Object.entries(odd))
      expect(stdout.split(`${name}=${value}\0`)).toHaveLength(3)
  })
})

describe('an installation without koffi', () => {
  const folder = temporaryDirectory()

  it('runs the job, and says to who would enter it why that is not possible', async () => {
    cpSync(dirname(SSHJOB_SERVER), join(folder(), 'dist'), { recursive: true })
    const env = { PATH: process.env.PATH, HOME: folder(), SSHJOB_RUNTIME_DIR: join(folder(), 'run'), A: 'b' }
    const server = startProgram(
      join(folder(), 'dist/sshjob-server.cjs'),
      ['--job-id', 'bare', '--', 'sh', '-c', 'echo "$0 $A"; read line; exit 7'],
      { env },
    )
    await server.waitFor(/^sh b$/m)
    const why =
      "sshjob: No process can be started here, since koffi, which calls the system for that, can't be loaded: Cannot find module 'koffi'. Install sshjob again on this kind of machine, with optional dependencies.\n"
    for (const options of [['-T'], ['-tt']]) {
      expect(await runProgram(SSHJOB, [...options, 'bare', 'true'], { env })).toMatchObject({
        exitCode: 255,
        stderr: why,
      })
    }
    server.child.stdin.end('\n')
    expect(await server.ended).toEqual({ exitCode: 7, signal: null })
  })
})

describe.each(SHELLS)(
  'an installation without koffi, in front of the job sshjob-server run by %s,',
  (_name, shell) => {
    const folder = temporaryDirectory()

    it('runs the job with all that it was started with, and says why it can not be entered', async () => {
      cpSync(dirname(SSHJOB_SERVER), join(folder(), 'dist'), { recursive: true })
      const env = { PATH: process.env.PATH, HOME: folder(), SSHJOB_RUNTIME_DIR: join(folder(), 'run') }
      const [program = '', ...args] = [...shell, join(folder(), 'dist/sshjob-server'), '-q']
      const why =
        "sshjob-server: No process can be started here, since koffi, which calls the system for that, can't be loaded: Cannot find module 'koffi'. Install sshjob again on this kind of machine, with optional dependencies."
      const job = ['--', 'sh', '-c', 'echo "ran $0"; cat; exit 4', 'x']
      expect(await runProgram(program, [...args, ...job], { env, stdin: 'in' })).toEqual({
        exitCode: 4,
        signal: null,
        stdout: 'ran x\nin',
        stderr: `${why} The job runs all the same, and can't be entered.\n`,
      })
      expect(await runProgram(program, [...args, '--require-session', ...job], { env })).toEqual({
        exitCode: 255,
        signal: null,
        stdout: '',
        stderr: `${why} The job was not started, as --require-session says.\n`,
      })
    })
  },
)

describeWith(['script'], 'an installation without node-pty, which has no build for every system', () => {
  const folder = temporaryDirectory()

  it('has terminals, of the size of ours', async () => {
    cpSync(dirname(SSHJOB_SERVER), join(folder(), 'dist'), { recursive: true })
    for (const name of ['koffi', '@koromix'])
      cpSync(join('node_modules', name), join(folder(), 'node_modules', name), { recursive: true })
    const env = { PATH: process.env.PATH, HOME: folder(), SSHJOB_RUNTIME_DIR: join(folder(), 'run') }
    const args = ['--job-id', 'bare', '-q', '--log-level', 'info', '--', 'cat']
    const server = startProgram(join(folder(), 'dist/sshjob-server.cjs'), args, { env })
    await server.waitFor(/job started/)
    const session = `stty rows 33 cols 99; '${process.execPath}' '${SSHJOB}' -q -t bare 'tty; stty size'`
    const shown = await runProgram('script', ['-qec', session, '/dev/null'], {
      env: { ...env, SHELL: '/bin/sh' },
    })
    expect(shown).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^\/dev\/pts\/\d+\r\n33 99\r\n/),
    })
    server.child.stdin.end()
    expect(await server.ended).toEqual({ exitCode: 0, signal: null })
  })
})

import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findShim } from '../../src/enter/shim.js'
import { describeWithMounts } from '../helpers/needs.js'
import { runProgram, SSHJOB, startProgram } from '../helpers/programs.js'
import { emptyRoot, IN_ROOT, MOUNTED, runIn, shimFor } from './shims.js'

const SHIM = shimFor(process.arch)
const SHELL = `${MOUNTED}/bin/sh`
const SERVER = [SHELL, `${MOUNTED}/sshjob-server`, '-q']
const RUNS = "The job runs all the same, and can't be entered."

/** A command behind the server, which has a session to offer; and one that runs in any case. */
const withSession = (script: string): string[] => [...SERVER, '--require-session', '--', SHELL, '-c', script]
const anyhow = (script: string, ...options: string[]): string[] => [
  ...SERVER,
  ...options,
  ...['--', SHELL, '-c', script],
]

describeWithMounts('a job behind the sshjob-server of the shim, in a container that has nothing', () => {
  let base: string
  let root: string

  beforeAll(() => {
    base = mkdtempSync(join(tmpdir(), 'job-'))
    root = emptyRoot(join(base, 'root'))
  })

  afterAll(() => rmSync(base, { recursive: true, force: true }))

  it('as its first process: orphans are reaped, signals are handed on', async () => {
    const script = `
      for i in $(seq 50); do (sh -c "exec sleep 0.1" &); done
      while grep -qs sleep /proc/[0-9]*/comm; do :; done; sleep 1.2
      echo "zombies: $(grep -ls "^State:.Z" /proc/[0-9]*/status | wc -l)"
      trap "echo term; exit 5" TERM; kill -TERM 1; while :; do sleep 0.05; done`
    expect(await runIn(root, 'devices', withSession(script))).toEqual({
      exitCode: 5,
      signal: null,
      stdout: 'zombies: 0\nterm\n',
      stderr: '',
    })
  })

  it('is entered', async () => {
    const wait = 'while [ ! -e /tmp/over ]; do sleep 0.05; done; exit 6'
    const server = [`${MOUNTED}/bin/busybox`, 'env', 'A=b', ...SERVER.slice(0, 2)]
    const command = [...server, '--job-id', 'train', '--', SHELL, '-c', wait]
    const job = startProgram(IN_ROOT, [SHIM, root, 'devices', ...command], {
      env: { PATH: process.env.PATH },
    })
    await job.waitFor(/To enter this job/)
    // Its sockets are in the root, which is a directory here.
    const env = { PATH: process.env.PATH, SSHJOB_RUNTIME_DIR: join(root, 'tmp/sshjob-0') }
    expect(await runProgram(SSHJOB, ['train', 'ls -d /opt/*; echo $A; exit 5'], { env })).toMatchObject({
      exitCode: 5,
      stdout: '/opt/sshjob\nb\n',
    })
    writeFileSync(join(root, 'tmp/over'), '')
    expect((await job.ended).exitCode).toBe(6)
  })

  it('ends as it would without it, also by a signal', async () => {
    for (const [script, exitCode] of [
      ['exit 7', 7],
      ['kill -KILL $$', 137],
      ['kill -TERM $$', 143],
    ] as const) {
      // The first process of a container can't be ended by a signal, and any other can.
      expect(await runIn(root, 'devices', withSession(script))).toMatchObject({ exitCode, stderr: '' })
      const inside = [SHELL, '-c', '"$@" 2>/dev/null; echo $?', 'sh', ...withSession(script)]
      expect(await runIn(root, 'devices', inside)).toMatchObject({ exitCode: 0, stdout: `${exitCode}\n` })
    }
  })

  it('has what the server was started with: ignored signals, limits, descriptors, variables', async () => {
    const look = `
      grep -E "^SigIgn" /proc/self/status; ulimit -n; umask; readlink /proc/self/fd/5; pwd
      tr '\\0' '\\n' </proc/$$/environ | od -An -tx1`
    const set = `trap '' HUP USR1; ulimit -n 100; umask 027; exec 5</opt/sshjob/shim.json; cd /tmp
      exec ${MOUNTED}/bin/busybox env a.b=c "LATIN=$(printf 'caf\\351')" NODE_OPTIONS=--inspect=0 \
        "LONG=$(printf %0100000d 7)" "$@"`
    const run = (command: readonly string[]) => runIn(root, 'devices', [SHELL, '-c', set, 'sh', ...command])
    const bare = await run([SHELL, '-c', look])
    expect(bare).toMatchObject({ exitCode: 0, stderr: '' })
    expect(bare.stdout).toMatch(/^SigIgn:\s*0*201\n100\n0027\n\/opt\/sshjob\/shim.json\n\/tmp\n/)
    expect(await run(withSession(look))).toEqual(bare)
  })

  it.each([
    ['none', 'Node.js ended before it had started the job.'],
    ['no-proc', "Node.js can't be started."],
  ] as const)('runs all the same with a broken loader (%s)', async (has, why) => {
    const broken = join(base, `broken-${has}`)
    cpSync(SHIM, broken, { recursive: true })
    const { loader } = await findShim({ given: SHIM })
    writeFileSync(join(broken, loader), 'not a program')
    expect(await runIn(root, has === 'none' ? 'devices' : has, anyhow('echo ran; exit 3'), broken)).toEqual({
      exitCode: 3,
      signal: null,
      stdout: 'ran\n',
      stderr: `sshjob-server: ${why} ${RUNS}\n`,
    })
    expect(await runIn(root, has === 'none' ? 'devices' : has, withSession('echo ran'), broken)).toEqual({
      exitCode: 255,
      signal: null,
      stdout: '',
      stderr: `sshjob-server: ${why} The job was not started, as --require-session says.\n`,
    })
  })

  it('runs without /proc', async () => {
    for (const script of ['echo $A; exit 3', 'echo $A; kill -TERM $$']) {
      const given = [`${MOUNTED}/bin/busybox`, 'env', 'A=a value']
      const bare = await runIn(root, 'no-proc', [
        SHELL,
        '-c',
        '"$@"; exit $?',
        'sh',
        ...given,
        SHELL,
        '-c',
        script,
      ])
      const { exitCode, stdout } = await runIn(root, 'no-proc', [...given, ...withSession(script)])
      expect({ exitCode, stdout }).toEqual({ exitCode: bare.exitCode, stdout: 'a value\n' })
    }
  })

  it('runs with too little memory, also where /proc does not tell how little', async () => {
    const little = [
      SHELL,
      '-c',
      'ulimit -v 300000; ulimit -c 0; exec "$@"',
      'sh',
      ...anyhow('echo ran; exit 3'),
    ]
    expect(await runIn(root, 'devices', little)).toEqual({
      exitCode: 3,
      signal: null,
      stdout: 'ran\n',
      stderr: `sshjob-server: The limit of address space in bytes (ulimit -v) is 307200000, and Node.js needs 2048000000. ${RUNS}\n`,
    })
    const { stderr, ...blind } = await runIn(root, 'no-proc', little)
    expect(blind).toEqual({ exitCode: 3, signal: null, stdout: 'ran\n' })
    // The shell may say before that how Node.js ended.
    expect(stderr).toMatch(/^(.*\n)?sshjob-server: Node\.js can't be started\. .* can't be entered\.\n$/)
  })

  it('is found by a link, and is never run by a Node.js of the image', async () => {
    const image = emptyRoot(join(base, 'with-node'))
    symlinkSync(`${MOUNTED}/sshjob-server`, join(image, 'tmp/sshjob-server'))
    writeFileSync(join(image, 'tmp/node'), `#!${SHELL}\necho this is not ours\n`, { mode: 0o755 })
    const command = [SHELL, '-c', 'PATH=/tmp exec "$@"', 'sh', SHELL, '/tmp/sshjob-server']
    const job = ['-q', '--require-session', '--', SHELL, '-c', 'tr "\\0" " " </proc/$PPID/cmdline']
    expect(await runIn(image, 'devices', [...command, ...job])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining(`${MOUNTED}/bin/node`),
      stderr: '',
    })
  })
})

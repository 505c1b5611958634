import { execFileSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describeWith, describeWithMounts } from '../helpers/needs.js'
import {
  type ProgramResult,
  type RunningProgram,
  runProgram,
  SSHJOB,
  startProgram,
} from '../helpers/programs.js'
import { expectSessions, MOUNTED, shimFor, through } from './shims.js'

const START_MS = 60_000
const SHIM = shimFor(process.arch)
/** Control groups are the machine's, whatever namespaces Docker is in. */
const CGROUP = `sshjob-shim-test-${process.pid}`
let base: string
let daemon: RunningProgram

const docker = (...args: string[]): Promise<ProgramResult> =>
  runProgram('docker', ['--host', `unix://${base}/docker.sock`, ...args], {
    env: { PATH: process.env.PATH, HOME: base },
  })

async function must(...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await docker(...args)
  if (exitCode !== 0) throw new Error(`docker ${args.join(' ')}: ${stderr}`)
  return stdout.trim()
}

/** Docker by itself: with its own store and socket, without a network, and gone with its namespaces. */
async function startDocker(): Promise<void> {
  const places = [`--host=unix://${base}/docker.sock`, `--data-root=${base}/data`, `--exec-root=${base}/exec`]
  const network = ['--iptables=false', '--ip6tables=false', '--bridge=none']
  const options = [
    ...places,
    ...network,
    `--cgroup-parent=/${CGROUP}`,
    `--pidfile=${base}/pid`,
    '--storage-driver=vfs',
    '--group=root',
  ]
  const namespaces = [
    '--mount',
    '--pid',
    '--fork',
    '--kill-child',
    '--mount-proc',
    '--propagation',
    'private',
  ]
  daemon = startProgram('unshare', [...namespaces, 'dockerd', ...options])
  const deadline = Date.now() + START_MS
  while ((await docker('version')).exitCode !== 0) {
    if (Date.now() > deadline) throw new Error(`Docker does not start:\n${daemon.stderr()}`)
    await delay(200)
  }
}

/** Of version 1 or 2: cgroups(7). */
function removeCgroups(): void {
  for (const directory of ['.', ...readdirSync('/sys/fs/cgroup')]) {
    const made = join('/sys/fs/cgroup', directory, CGROUP)
    if (existsSync(made)) rmdirSync(made)
  }
}

describeWith(
  ['dockerd', 'docker', 'busybox'],
  'a container of Docker with one static program, and no shell',
  () => {
    describeWithMounts('and the shim, by -v', () => {
      const server = (name: string, ...command: string[]): string[] => [
        'docker',
        '--host',
        `unix://${base}/docker.sock`,
        'exec',
        '-i',
        name,
        ...command,
      ]
      const launcher = [`${MOUNTED}/bin/sh`, `${MOUNTED}/sshjob-server`, '-i']

      beforeAll(async () => {
        base = mkdtempSync(join(tmpdir(), 'docker-'))
        const image = join(base, 'image')
        mkdirSync(image)
        // Only its sleep is used; under its name it can't be called as a shell.
        copyFileSync(join(SHIM, 'bin/busybox'), join(image, 'sleep'))
        execFileSync('tar', ['-C', image, '-cf', join(base, 'image.tar'), '.'])
        await startDocker()
        await must('import', join(base, 'image.tar'), 'scratch')
        const volume = ['-v', `${SHIM}:${MOUNTED}:ro`]
        const run = ['run', '--detach', '--network=none', '--env', 'GREETING=good day', ...volume]
        await must(...run, '--name', 'web', 'scratch', '/sleep', '1000')
        await must(
          ...run,
          '--name',
          'hard',
          '--read-only',
          '--user',
          '1234:5678',
          '--cap-drop=ALL',
          '--security-opt',
          'no-new-privileges',
          'scratch',
          '/sleep',
          '1000',
        )
      }, 180_000)

      afterAll(async () => {
        await docker('rm', '--force', 'web', 'hard')
        // unshare(1) waits for its child whatever it is told; without its first process, the namespace ends.
        daemon.kill('SIGKILL')
        await daemon.ended
        removeCgroups()
        rmSync(base, { recursive: true, force: true })
      }, 60_000)

      it('is not entered by docker exec alone', async () => {
        expect((await docker('exec', 'web', 'sh', '-c', 'true')).exitCode).not.toBe(0)
      })

      it('is entered, with the variables of the container, by its first process', async () => {
        await expectSessions(server('web', ...launcher))
        const { stdout } = await through(server('web', ...launcher), [
          'echo "$GREETING, $SSHJOB_JOB_PIDS"; ls /',
        ])
        expect(stdout).toBe('good day, 1\ndev\netc\nopt\nproc\nsleep\nsys\n')
        expect(await must('diff', 'web')).toBe('A /opt\nA /opt/sshjob')
      })

      it('is entered where it is read-only, by a user without an account, capabilities or new privileges', async () => {
        await expectSessions(server('hard', ...launcher))
        const { stdout } = await through(server('hard', ...launcher), [
          'id -u; id -g; grep -E "CapEff|NoNewPrivs" /proc/self/status',
        ])
        expect(stdout).toBe('1234\n5678\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\n')
      })

      it('has its files reached', async () => {
        const target = join(base, 'copied')
        const command = server('web', ...launcher).join(' ')
        const copied = await runProgram(SSHJOB, ['cp', '--proxy-command', command, 'web:/sleep', target], {
          env: { PATH: process.env.PATH, HOME: base },
        })
        expect(copied).toMatchObject({ exitCode: 0 })
        expect(readFileSync(target).equals(readFileSync(join(SHIM, 'bin/busybox')))).toBe(true)
      })
    })
  },
)

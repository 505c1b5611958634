import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { VERSION } from '../../src/core/version.js'
import { POOL_START_MS, type Pool, startPool } from '../engines/htcondor/start-pool.js'
import { describeWith, describeWithMounts } from '../helpers/needs.js'
import type { ProgramResult } from '../helpers/programs.js'

/** Where it is on the execution point, and in containers. */
const SHIM = '/opt/shim'
const SSHJOB = '/opt/sshjob/dist/sshjob.cjs'
const ARCHIVE = join(
  process.env.SSHJOB_TEST_SHIMS ?? '',
  `sshjob-shim-${VERSION}-linux-${process.arch}.tar.gz`,
)
/** As docs/container-shim.md has it. */
const SETTINGS = `SINGULARITY_BIND_EXPR = "${SHIM}:${SHIM}:ro"\n`

let pool: Pool

/** Runs sshjob on the pool's machine, through a command that leads into a container. */
const through = (command: string, options: readonly string[], line: string): Promise<ProgramResult> =>
  pool.run('alice', [SSHJOB, '--proxy-command', command, ...options, 'box', line])

describeWith(['debootstrap'], 'Apptainer and HTCondor', () => {
  describeWithMounts('with the shim mounted into containers', () => {
    beforeAll(async () => {
      pool = await startPool('sid', 'shim')
      const unpack = `mkdir ${SHIM}; tar -xzf - -C ${SHIM} --strip-components=1`
      await pool.get('root', ['sh', '-c', unpack], { stdin: readFileSync(ARCHIVE) })
      // With one static program and nothing else; and with a shell as well.
      await pool.get('root', [
        'sh',
        '-ec',
        `
        mkdir -p /srv/bare/bin /srv/small/bin
        for image in bare small; do
          cd /srv/$image; mkdir -p proc dev tmp etc sys var/tmp opt home
          for file in passwd group resolv.conf hosts localtime; do : >etc/$file; done
          cp ${SHIM}/bin/busybox bin/sleep
        done
        cp ${SHIM}/bin/busybox bin/sh`,
      ])
    }, POOL_START_MS)

    afterAll(() => pool.stop(), 60_000)

    it('apptainer exec --bind: an image without a shell is entered', async () => {
      const inside = `apptainer exec --bind ${SHIM}:${SHIM}:ro /srv/bare ${SHIM}/bin/sh ${SHIM}/sshjob-server -i`
      expect(
        await through(inside, [], `ls /bin; id -u; touch ${SHIM}/x 2>/dev/null || echo kept; exit 7`),
      ).toMatchObject({
        exitCode: 7,
        stdout: 'sleep\n1000\nkept\n',
        stderr: '',
      })
      expect((await through(inside, ['-tt'], 'tty')).stdout).toMatch(/^\/dev\/pts\/\d+\r\n$/)
    })

    it('SINGULARITY_BIND_EXPR: container jobs have it, and are entered through condor_ssh_to_job', async () => {
      await pool.restartExecutionPoint(SETTINGS)
      const container = ['universe = container', 'transfer_executable = false', 'should_transfer_files = yes']
      const sleep = ['executable = /bin/sleep', 'arguments = 1000', 'container_image = /srv/small']
      const job = await pool.submit('alice', ...container, ...sleep)
      await pool.becomesEnterable('alice', job)
      const inside = `condor_ssh_to_job ${job} ${SHIM}/sshjob-server -i`
      const show = '[ "$PWD" = "$_CONDOR_JOB_IWD" ] && echo there; ls /bin; exit 7'
      const plain = await pool.run('alice', ['condor_ssh_to_job', job, show])
      const ours = await through(inside, [], show)
      // The exit status, and the directory of the job.
      expect({ plain: plain.exitCode, ours: ours.exitCode }).toEqual({ plain: 0, ours: 7 })
      expect(ours.stdout).toBe('there\nsh\nsleep\n')
      expect((await through(inside, ['-tt'], 'tty')).stdout).toMatch(/^\/dev\/pts\/\d+\r\n$/)
      const copy = [SSHJOB, 'cp', '--proxy-command', inside, 'box:/bin/sleep', '/tmp/copied']
      await pool.get('alice', copy)
      await pool.get('alice', ['cmp', '/tmp/copied', `${SHIM}/bin/busybox`])
      await pool.get('alice', ['condor_rm', job])
    })

    it('a job is started under its server, in an image that has nothing for it', async () => {
      const container = ['universe = container', 'transfer_executable = false', 'should_transfer_files = yes']
      const command = [
        `executable = ${SHIM}/bin/sh`,
        `arguments = ${SHIM}/sshjob-server --job-id train -- /bin/sleep 1`,
      ]
      const job = await pool.submit(
        'alice',
        ...container,
        ...command,
        'container_image = /srv/bare',
        'leave_in_queue = true',
      )
      await pool.reaches(job, 'completed')
      expect(await pool.get('alice', ['condor_q', job, '-af', 'ExitCode'])).toBe('0')
    })
  })
})

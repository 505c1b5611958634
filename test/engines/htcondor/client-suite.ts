import { createHash, randomBytes } from 'node:crypto'
import { describeAsRoot } from '../../helpers/needs.js'
import { openScreen } from '../../helpers/screen.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'
import { SSHJOB } from './case.js'
import { CASE_MS, clientIn, leavesQueue, until } from './client.js'
import { describeHostileJobs } from './client-hostile.js'
import { describeInstallation } from './client-install.js'
import { describeParallelJobs } from './client-parallel.js'
import { POOL_START_MS, type Pool, type Suite, startPool } from './start-pool.js'

const MIB = 1024 * 1024

/** sshjob on an access point of HTCondor, in a pool of this suite: first with stock sshd at the other end, then with ours. */
export function describeClient(suite: Suite): void {
  describeAsRoot(`sshjob in a pool of ${suite}`, () => {
    const folder = temporaryDirectory()
    let pool: Pool

    beforeAll(async () => {
      pool = await startPool(suite, `client-${process.pid}`)
    }, POOL_START_MS)
    afterAll(() => pool?.stop())

    const client = clientIn(suite, () => pool)
    const { sshjob, administer, queued } = client

    describe('about jobs that do not run', () => {
      it(
        'says why, and whether waiting helps',
        async () => {
          const idle = await queued('requirements = Machine == "nowhere"')
          const held = await queued('hold = true')
          const removed = await queued('requirements = False')
          await pool.get('alice', ['condor_rm', removed])
          const ended = await pool.submit('alice', 'executable = /bin/false', 'transfer_executable = false')
          await pool.reaches(held, 'held')
          await leavesQueue(pool, removed)
          await leavesQueue(pool, ended)

          expect(await sshjob([idle, 'true'])).toMatchObject({
            exitCode: 255,
            stderr: expect.stringMatching(
              new RegExp(
                `^sshjob: Job ${idle} is idle: it is not matched .* With --wait, sshjob waits for it\\.\n$`,
              ),
            ),
          })
          expect(await sshjob([held, 'true'])).toMatchObject({
            exitCode: 255,
            stderr: `sshjob: Job ${held} is on hold: submitted on hold at user's request. Waiting does not help: 'condor_release ${held}' lets it run again.\n`,
          })
          expect(await sshjob([removed, 'true'])).toMatchObject({
            exitCode: 255,
            stderr: expect.stringMatching(
              new RegExp(
                `^sshjob: Job ${removed} was removed at .*: via condor_rm \\(by user alice\\)\\.\n$`,
              ),
            ),
          })
          expect(await sshjob([ended, 'true'])).toMatchObject({
            exitCode: 255,
            stderr: expect.stringMatching(
              new RegExp(`^sshjob: Job ${ended} ended at .*, with exit status 1\\.\n$`),
            ),
          })
          expect(await sshjob(['htcondor:99999', 'true'])).toMatchObject({
            exitCode: 255,
            stderr:
              "sshjob: HTCondor has no job 99999.0 here, neither in its queue nor in its history: 'sshjob ls' shows yours.\n",
          })
          // Waiting ends where it makes no sense.
          expect(await sshjob(['--wait', held, 'true'])).toMatchObject({
            exitCode: 255,
            stderr: expect.stringContaining('is on hold'),
          })
        },
        CASE_MS,
      )

      it(
        'waits, shows the states, and is in the job as soon as it runs',
        async () => {
          const job = await queued('requirements = False')
          const waiting = pool.start('alice', [...SSHJOB, '--wait', job, 'echo "it runs"'])
          await waiting.waitFor(new RegExp(`Waiting for job ${job}\\. Job ${job} is idle`))
          await pool.get('alice', ['condor_qedit', job, 'Requirements', 'True'])
          expect(await waiting.ended).toEqual({ exitCode: 0, signal: null })
          expect(waiting.stdout().toString()).toBe('it runs\n')
        },
        CASE_MS,
      )

      it(
        'removes a job when it is interrupted, if asked to',
        async () => {
          const job = await queued('requirements = False')
          const script = `"$@" --wait --remove-on-interrupt ${job} 2>said & child=$!
            until grep -q Waiting said; do sleep 0.1; done; kill -TERM $child; wait $child; echo "status $?"; cat said`
          const output = await pool.get('alice', ['bash', '-c', script, 'bash', ...SSHJOB])
          expect(output).toContain(`sshjob: Interrupted: removing job ${job}.`)
          expect(output).toContain('status 143')
          await leavesQueue(pool, job)
        },
        CASE_MS,
      )
    })

    describe.each(['sshd', 'sshjob-server'] as const)('to %s', (server) => {
      let job: string

      beforeAll(async () => {
        if (server === 'sshjob-server') {
          const { exitCode, stderr } = await administer('install')
          expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
        }
        // The last would keep a Node.js from starting.
        job = await queued('environment = "FROM_THE_JOB=yes NODE_OPTIONS=--require=/missing.js"')
        await sshjob(['--wait', job, 'true'])
      }, CASE_MS)
      afterAll(() => pool.get('alice', ['condor_rm', job]), CASE_MS)

      it('runs commands, with their arguments, streams and exit status', async () => {
        const end = await sshjob([job, 'echo "$FROM_THE_JOB" "$NODE_OPTIONS"; cat; exit 7'], 'input\n')
        expect(end).toMatchObject({ exitCode: 7, stdout: 'yes --require=/missing.js\ninput\n' })
        const cluster = job.split('.')[0] ?? ''
        for (const name of [cluster, `htcondor:${job}`]) {
          expect(await sshjob([name, 'hostname'])).toMatchObject({ exitCode: 0, stdout: 'ep\n' })
        }
      })

      it(
        'carries 64 MiB both ways as they are',
        async () => {
          const bytes = randomBytes(MIB)
          const repeat = `i=0; while [ $i -lt 64 ]; do cat block; i=$((i+1)); done`
          await pool.get('alice', ['tee', 'block'], { stdin: bytes }).catch(() => undefined)
          const expected = createHash('sha256')
          for (let i = 0; i < 64; i++) expected.update(bytes)
          const hash = expected.digest('hex')
          const line = `set -e; { ${repeat}; } | "$@" ${job} sha256sum; "$@" ${job} '${repeat}' | sha256sum`
          const hashes = await pool.get('alice', ['bash', '-c', line, 'bash', ...SSHJOB])
          expect(hashes.match(/[0-9a-f]{64}/g)).toEqual([hash, hash])
        },
        CASE_MS,
      )

      it(
        'copies files and folders in and out',
        async () => {
          const line = `set -e; rm -rf tree back; mkdir -p tree/sub; head -c 3000000 /dev/urandom >tree/sub/big; echo x >tree/y
          "$@" cp -rp tree htcondor:${job}:/tmp/tree; "$@" cp -r ${job}:/tmp/tree back; diff -r tree back && echo same`
          const copied = await pool.run('alice', ['bash', '-c', line, 'bash', ...SSHJOB])
          // The template of HTCondor 25 in Debian names an sftp-server that is not there.
          if (server === 'sshd' && suite === 'sid') {
            expect(copied.stderr).toBe('sshjob: The server has closed the file transfer.\n')
          } else expect(copied).toMatchObject({ exitCode: 0, stdout: 'same\n', stderr: '' })
        },
        CASE_MS,
      )

      it(
        'is a terminal that one can type into',
        async () => {
          const line = pool.line('alice', ['env', 'TERM=xterm', ...SSHJOB, '--env', 'PS1=remote> ', job])
          const screen = openScreen({
            folder: folder(),
            command: 'exec env PS1="local> " ENV= sh',
            env: process.env,
          })
          try {
            screen.enter(line)
            await screen.waitFor(/\$ *$|remote> *$/m)
            screen.enter('tty; stty size; echo "job $FROM_THE_JOB"; exit 3')
            await screen.waitFor(/^job yes$/m)
            await screen.waitFor(new RegExp(`^Connection to job ${job} closed\\.$`, 'm'))
            expect(screen.text()).toMatch(/^30 100$/m)
            screen.enter('echo "status $?"')
            await screen.waitFor(/^status 3$/m)
          } finally {
            screen.close()
          }
        },
        CASE_MS,
      )

      it(
        'opens a port of the job here',
        async () => {
          const serve = `require('node:http').createServer((_, answer) => answer.end('a page of the job')).listen(8899, '127.0.0.1')`
          const web = pool.start('alice', [...SSHJOB, '-n', job, `NODE_OPTIONS= node -e "${serve}"`])
          const open = pool.start('alice', [...SSHJOB, 'open', '--no-browser', '-p', '9988', job, '8899'])
          await open.waitFor(/^http:\/\/localhost:9988\/$/m)
          const get = "fetch('http://localhost:9988/').then((answer) => answer.text()).then(console.log)"
          expect(await pool.get('alice', ['node', '-e', get])).toBe('a page of the job')
          for (const program of [open, web]) {
            await program.stop()
          }
        },
        CASE_MS,
      )

      it(
        'is in the library',
        async () => {
          const script = `
          const { connectToJob } = await import('/opt/sshjob/dist/index.js')
          const job = await connectToJob('htcondor:${job}')
          const { stdout, exitCode } = await (await job.exec('echo "$FROM_THE_JOB"; exit 4', { stdin: null })).output()
          console.log(String(stdout).trim(), exitCode)
          await job.close()
          console.log((await connectToJob('htcondor:99998').catch((error) => error)).code)`
          const output = await pool.get('alice', ['node', '--input-type=module', '-e', script])
          expect(output).toBe('yes 4\njob-not-found')
        },
        CASE_MS,
      )

      it('lets nobody else in', async () => {
        const end = await pool.run('bob', [...SSHJOB, job, 'true'])
        expect(end).toMatchObject({
          exitCode: 255,
          stderr: `sshjob: HTCondor did not let us into the job: bob is not authorized for access to the starter for job ${job}.\n`,
        })
      })

      it('hands on which schedd is meant', async () => {
        expect(
          await sshjob(['--name', 'ep.pool.test', '--pool', '127.0.0.1', job, 'echo there']),
        ).toMatchObject({
          exitCode: 0,
          stdout: 'there\n',
        })
        expect(await sshjob(['--name', 'nowhere', job, 'true'])).toMatchObject({
          exitCode: 255,
          stderr:
            'sshjob: HTCondor did not let us into the job: No such schedd named nowhere in local pool.\n',
        })
      })

      it('lists the job', async () => {
        const { stdout } = await sshjob(['ls'])
        expect(stdout).toMatch(
          new RegExp(`^${job}\\s+running\\s+ep.pool.test\\s+\\S.*/bin/sleep 100000$`, 'm'),
        )
        const { stdout: json } = await sshjob(['ls', '--json'])
        expect(JSON.parse(json)).toContainEqual(
          expect.objectContaining({ engine: 'htcondor', id: job, state: 'running', user: 'alice' }),
        )
        expect(await sshjob(['ls', '--name', 'nowhere'])).toMatchObject({
          exitCode: 0,
          stderr: expect.stringContaining('sshjob: The jobs of htcondor are not listed.'),
        })
      })

      it(
        'ends with the job, and leaves nothing behind',
        async () => {
          // Who goes while the job still writes: a reader that has had enough, and a process that is killed.
          const early = `"$@" ${job} yes | head -1; "$@" -n ${job} yes >/dev/null & sleep 2; kill -KILL $!`
          expect(await pool.get('alice', ['bash', '-c', early, 'bash', ...SSHJOB])).toBe('y')
          const victim = await queued()
          await sshjob(['--wait', victim, 'true'])
          const session = pool.start('alice', [...SSHJOB, victim, 'echo in; exec sleep 1000'])
          await session.waitFor(/^in$/m)
          await pool.get('alice', ['condor_rm', victim])
          expect(await session.ended).toMatchObject({ exitCode: 255 })
          expect(session.stderr().toString()).toMatch(
            new RegExp(`^sshjob: Job ${victim} was removed at `, 'm'),
          )
          await until(async () => {
            const files = await pool.get('alice', [
              'sh',
              '-c',
              'ls -d /tmp/*.condor_ssh_to_job_* 2>/dev/null; true',
            ])
            const processes = await pool.get('alice', [
              'sh',
              '-c',
              'pgrep -u alice -f "^condor_ssh_to_job "; true',
            ])
            return files === '' && processes === ''
          })
        },
        CASE_MS,
      )
    })

    describeParallelJobs(client)
    describeHostileJobs(client)
    describeInstallation(client)
  })
}

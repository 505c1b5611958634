import { SSHJOB } from './case.js'
import { CASE_MS, type Client, until } from './client.js'
import { APPTAINER, DOCKER, makeImage } from './images.js'

/** Of the execution point, open to everybody there; no container has it. */
const OUTSIDE = '/srv/outside'
const MARKER = `${OUTSIDE}/marker`
const TOUCH = `: >${MARKER}`

/**
 * What a program in a container, and whoever enters it, may try. Its scratch folder is in the container as well, and of
 * the same user: what is written there from outside, as that user, a program inside could have written.
 */
export function describeHostileJobs({ suite, pool, sshjob, queued }: Client): void {
  const runtimes = suite === 'sid' ? ['Apptainer', 'Docker'] : ['Docker']

  describe.each(runtimes)('a hostile job in a container of %s', (runtime) => {
    let job: string
    let scratch: string

    beforeAll(async () => {
      await pool().get('root', ['sh', '-c', `mkdir -p -m 1777 ${OUTSIDE}`])
      if (runtime === 'Docker') await pool().startDocker()
      else await makeImage(pool())
      await pool().restartExecutionPoint('')
    }, CASE_MS)

    beforeEach(async () => {
      job = await queued(...(runtime === 'Docker' ? DOCKER : APPTAINER))
      await pool().becomesEnterable('alice', job)
      const places = ['', '/scratch'].map((below) => `/var/lib/condor/execute/dir_*${below}/.job.ad`)
      const look = `grep -ls '^ClusterId = ${job.split('.')[0]}$' ${places.join(' ')}; true`
      scratch = (await pool().get('root', ['sh', '-c', look])).replace(/\/\.job\.ad$/, '')
      await until(
        async () => (await pool().run('root', ['test', '-S', `${scratch}/.docker_sock`])).exitCode === 0,
      )
    }, CASE_MS)
    afterEach(async () => {
      await pool().get('alice', ['condor_rm', job])
      await pool().get('root', ['sh', '-c', `rm -f ${OUTSIDE}/*`])
    }, CASE_MS)

    const ranOutside = async (): Promise<boolean> =>
      (await pool().run('root', ['test', '-e', MARKER])).exitCode === 0

    /** Runs a line in the container; HTCondor 23.9 has but shells there, in a terminal. */
    async function runs(options: readonly string[], line: string): Promise<string> {
      if (suite === 'sid') return (await sshjob([...options, job, line])).stdout
      const shell = pool().start('alice', [...SSHJOB, ...options, '-tt', job])
      // Or it is refused.
      await Promise.race([shell.waitFor(/[$#] $/), shell.ended])
      shell.child.stdin.write(`${line}\nexit\n`)
      await shell.ended
      return shell.stdout().toString()
    }

    /** While a session is opened, each file of it gets another line as soon as it is there. */
    async function meanwhile<T>(lines: Readonly<Record<string, string>>, open: () => Promise<T>): Promise<T> {
      const appends = Object.entries(lines).map(
        ([file, line]) =>
          `[ -s "$d/${file}" ] && [ ! -e "$d/${file}.done" ] && echo '${line}' >>"$d/${file}" && : >"$d/${file}.done"`,
      )
      // The log goes with the session, and a second name of it stays.
      const keep = `[ ! -e "$d/sshd.log" ] || [ -e "$d/kept" ] || { ln "$d/sshd.log" ${scratch}/log-\${d##*_} && : >"$d/kept"; }`
      const loop = `while :; do for d in ${scratch}/.condor_ssh_to_job_*; do ${[keep, ...appends].join('; ')}; done; done`
      const attack = pool().start('alice', ['sh', '-c', loop])
      try {
        return await open()
      } finally {
        await attack.stop()
      }
    }

    it(
      'that says it is in none is entered in no other way',
      async () => {
        const plain = `ClusterId = ${job.split('.')[0]}\nProcId = 0\n`
        await pool().get('alice', ['rm', '-f', `${scratch}/.job.ad`, `${scratch}/.docker_sock`])
        await pool().get('alice', ['tee', `${scratch}/.job.ad`], { stdin: plain })
        expect(await sshjob([job, TOUCH])).toMatchObject({
          exitCode: 255,
          stderr: expect.stringMatching(/nothing is run on the host/),
        })
        expect((await sshjob(['-tt', job], `${TOUCH}\nexit\n`)).exitCode).toBe(255)
        const copied = await sshjob(['cp', `${job}:/etc/passwd`, 'passwd'])
        expect(copied.exitCode).toBe(255)
        const port = await sshjob(['-W', '127.0.0.1:9618', job])
        if (runtime === 'Docker') expect(port.exitCode).toBe(255)
        expect(await ranOutside()).toBe(false)
      },
      CASE_MS,
    )

    it(
      'has no variable of a client run anything outside',
      async () => {
        await pool().get('alice', ['tee', `${OUTSIDE}/evil.sh`], { stdin: `${TOUCH}\n` })
        const variables = [`BASH_ENV=${OUTSIDE}/evil.sh`, `ENV=${OUTSIDE}/evil.sh`, 'SHELLOPTS=xtrace']
        const options = [...variables, `PS4=$(${TOUCH})`, 'PATH=/srv/outside'].flatMap((text) => [
          '--env',
          text,
        ])
        expect(await runs(options, 'echo it" "runs')).toContain('it runs')
        expect(await ranOutside()).toBe(false)
      },
      CASE_MS,
    )

    it(
      'has nothing that it writes into the files of a session run outside',
      async () => {
        const attack = {
          'env.sh': TOUCH,
          sshd_config: `Match all\n  ForceCommand sh -c "${TOUCH}"\n  AllowTcpForwarding yes\n`,
          authorized_keys: '#',
        }
        await meanwhile(attack, () => runs([], 'echo in'))
        // A key without HTCondor's forced command, and the client's own words in its place.
        const keys = `${scratch}/.condor_ssh_to_job_*/authorized_keys`
        const strip = `while :; do sed -i 's/^command="[^"]*" //' ${keys}; done 2>/dev/null`
        const stripping = pool().start('alice', ['sh', '-c', strip])
        await pool().get('alice', ['tee', `${OUTSIDE}/condor_ssh_to_job_shell_setup`], {
          stdin: `#!/bin/sh\n${TOUCH}\n`,
        })
        await pool().get('alice', ['chmod', '755', `${OUTSIDE}/condor_ssh_to_job_shell_setup`])
        await sshjob([job, `${OUTSIDE}/condor_ssh_to_job_shell_setup ${scratch}/.condor_ssh_to_job_1/env.sh`])
        await stripping.stop()
        expect(await ranOutside()).toBe(false)
      },
      CASE_MS,
    )

    it(
      'learns nothing of the files outside from the log of a session',
      async () => {
        await pool().get('alice', ['tee', 'secret'], { stdin: 'the-secret-word\n' })
        const session = await meanwhile({ sshd_config: 'Include /home/alice/secret' }, () =>
          sshjob([job, 'true']),
        )
        const logs = await pool().get('root', ['sh', '-c', `cat ${scratch}/log-*`])
        expect(logs).not.toContain('the-secret-word')
        // The attacker was fast enough.
        expect(session.exitCode).toBe(255)
        expect(logs).toContain("can't be used. Why is not said where the job could read it.")
      },
      CASE_MS,
    )
  })

  it(
    'a job whose first process is a container of its own making is not entered beside it',
    async () => {
      if (suite !== 'sid') return
      const args = ['executable = /usr/bin/apptainer', 'transfer_executable = false']
      const job = await pool().submit('alice', ...args, 'arguments = exec /srv/image /bin/sleep 100000')
      await pool().becomesEnterable('alice', job)
      expect(await pool().run('alice', [...SSHJOB, job, TOUCH])).toMatchObject({
        exitCode: 255,
        stderr: expect.stringContaining('HTCondor gives no way into it here'),
      })
      await pool().get('alice', ['condor_rm', job])
    },
    CASE_MS,
  )
}

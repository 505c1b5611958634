import { SSHJOB } from './case.js'
import { CASE_MS, type Client } from './client.js'

const INSTALLED = '/usr/local/lib/sshjob'

/** What an administrator runs on an execution point. */
export function describeInstallation({ suite, pool, administer, queued }: Client): void {
  describe('sshjob htcondor', () => {
    it(
      'finds an installation that is used, and one that is not',
      async () => {
        expect(await administer('doctor')).toMatchObject({
          exitCode: 0,
          stdout: expect.stringContaining(
            `ok      Sessions are served by the copy of sshjob in ${INSTALLED}.`,
          ),
        })
        await pool().get('root', ['tee', '/etc/condor/config.d/99-other'], {
          stdin: 'SSH_TO_JOB_SSHD = /usr/sbin/sshd\nENABLE_SSH_TO_JOB = False\n',
        })
        const { exitCode, stdout } = await administer('doctor')
        expect(exitCode).toBe(1)
        expect(stdout).toMatch(
          /^broken {2}ENABLE_SSH_TO_JOB is false \(\/etc\/condor\/config.d\/99-other, line 2/m,
        )
        expect(stdout).toMatch(
          /^broken {2}sshjob is installed in \S+ and not used: SSH_TO_JOB_SSHD is \/usr\/sbin\/sshd/m,
        )
        await pool().get('root', ['rm', '/etc/condor/config.d/99-other'])
      },
      CASE_MS,
    )

    it(
      'finds a copy that users can not run',
      async () => {
        await pool().get('root', ['chmod', '700', INSTALLED])
        const { exitCode, stdout } = await administer('doctor')
        expect(exitCode).toBe(1)
        expect(stdout).toMatch(/^broken .* failed as a user without rights: .*\n {8}Its file system/m)
        await pool().get('root', ['chmod', '755', INSTALLED])
      },
      CASE_MS,
    )

    // Debian's is a small program, a library, and parts in JavaScript that belong to other packages.
    if (suite === 'trixie') {
      it(
        "makes of a distribution's Node.js a copy that needs nothing of it",
        async () => {
          const program = ['/usr/bin/node', '/opt/sshjob/dist/sshjob.cjs', 'htcondor', 'install']
          expect(await pool().run('root', program)).toMatchObject({ exitCode: 0, stderr: '' })
          await pool().get('root', ['apt-get', 'purge', '-qq', '-y', '--auto-remove', 'nodejs'])
          expect((await pool().run('root', ['ls', '/usr/bin/node', '/usr/share/nodejs'])).stdout).toBe('')

          const job = await queued()
          await pool().becomesEnterable('alice', job)
          const command =
            "tr '\\0' ' ' </proc/$PPID/cmdline; echo; grep -o '/[^ ]*libnode[^ ]*' /proc/$PPID/maps; exit 7"
          const session = await pool().run('alice', ['condor_ssh_to_job', job, command])
          expect(session.exitCode).toBe(7)
          expect(session.stdout).toContain(
            `${INSTALLED}/current/bin/node ${INSTALLED}/current/dist/sshjob-server.cjs`,
          )
          expect(session.stdout).toMatch(new RegExp(`^${INSTALLED}/\\S+/libnode\\.so`, 'm'))
          expect(await administer('doctor')).toMatchObject({ exitCode: 0 })
          await pool().get('alice', ['condor_rm', job])

          // Of that copy another one can be made.
          const copied = `$(sed -n 's/^exec .* -i [^ ]* \\(.*\\) [^ ]* "\\$@"$/\\1/p' ${INSTALLED}/current/bin/sshjob-server)`
          const again = `${copied} /opt/sshjob/dist/sshjob.cjs htcondor install --prefix /srv/again`
          await pool().get('root', ['sh', '-ec', `${again}; /srv/again/current/bin/sshjob-server --version`])
          expect(await administer('install')).toMatchObject({ exitCode: 0 })
        },
        CASE_MS,
      )
    }

    it(
      'leaves no half of an installation, and takes all of it away',
      async () => {
        const settings = '/etc/condor/config.d/60-sshjob.conf'
        const files = async (): Promise<string> =>
          pool().get('root', ['sh', '-c', `ls -A ${INSTALLED} /etc/condor/config.d; cat ${settings}`])
        // Once more, so that no other copy is kept beside.
        expect(await administer('install')).toMatchObject({ exitCode: 0 })
        const before = await files()
        expect(await administer('install', '--dry-run')).toMatchObject({ exitCode: 0 })
        expect(await pool().run('alice', [...SSHJOB, 'htcondor', 'install'])).toMatchObject({
          exitCode: 255,
          stderr: expect.stringMatching(
            /^sshjob: This needs root, or a --prefix of yours: mkdir .*: permission denied \(EACCES\)\.$/m,
          ),
        })
        await pool().get('root', ['sh', '-c', 'mkdir -p /srv/no && mount -t tmpfs -o noexec none /srv/no'])
        expect(await administer('install', '--prefix', '/srv/no/sshjob')).toMatchObject({
          exitCode: 255,
          stderr: expect.stringContaining("can't be run by users"),
        })
        expect(await pool().get('root', ['ls', '-A', '/srv/no'])).toBe('')
        expect(await administer('install')).toMatchObject({ exitCode: 0 })
        expect(await files()).toBe(before)
        const compiled = await pool().get('root', ['ls', `${INSTALLED}/current/dist/programs/cache`])
        expect(compiled.split('\n').map((name) => name.replace(/-[0-9a-f]{16}-.*/, ''))).toEqual([
          'sshjob-keygen',
          'sshjob-server',
        ])

        expect(await administer('uninstall')).toMatchObject({ exitCode: 0 })
        expect(
          await pool().get('root', ['sh', '-c', `ls -d ${INSTALLED} ${settings} 2>/dev/null; true`]),
        ).toBe('')
        expect(await administer('uninstall')).toMatchObject({
          exitCode: 255,
          stderr: `sshjob: Nothing is installed here: there is no ${settings}.\n`,
        })
      },
      CASE_MS,
    )
  })
}

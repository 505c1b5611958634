import { existsSync, readFileSync } from 'node:fs'
import fs from 'node:fs/promises'
import path from 'node:path'
import { connectToJob } from '../../../../src/engines/connect-to-job.js'
import { generateKey } from '../../../../src/ssh/keys.js'
import { SSHJOB_SERVER } from '../../../helpers/programs.js'
import { temporaryDirectory } from '../../../helpers/temporary-directory.js'

/**
 * What the real one does as far as a client sees it: a private folder with the session's keys, the program of -ssh with
 * ssh's options, and a proxy command. Its arguments are in the file 'calls'. The real one is tested in test/engines.
 */
const CONDOR_SSH_TO_JOB = `#!/bin/sh
cd "$(dirname "$0")/.." || exit 1
echo "$*" >>calls
[ ! -e first.sh ] || . ./first.sh
while [ $# -gt 1 ]; do
  [ "$1" != -ssh ] || program=$2
  shift
done
mkdir session
cp ssh_key known_hosts session/
eval "set -- $(printf %s "$program" | sed 's/%%/%/g')"
"$@" "-oUser=somebody" "-oIdentityFile=$PWD/session/ssh_key" -oStrictHostKeyChecking=yes \\
  "-oUserKnownHostsFile=$PWD/session/known_hosts" "-oProxyCommand=sh '$PWD/serve.sh'" condor-job.node7 -S none
status=$?
rm -r session
exit $status
`

describe('a job of HTCondor', () => {
  const folder = temporaryDirectory()
  const saved = process.env.PATH
  const file = (name: string): string => path.join(folder(), name)

  beforeAll(async () => {
    await fs.mkdir(file('bin'))
    await fs.writeFile(file('bin/condor_ssh_to_job'), CONDOR_SSH_TO_JOB, { mode: 0o755 })
    process.env.PATH = `${file('bin')}:${saved}`
  })
  beforeEach(async () => {
    const key = generateKey()
    await fs.writeFile(file('ssh_key'), key.privateKey, { mode: 0o600 })
    await fs.writeFile(file('authorized_keys'), `${key.publicKey}\n`)
    await fs.writeFile(file('known_hosts'), `* ${key.publicKey}\n`)
    await fs.writeFile(
      file('sshd_config'),
      `HostKey ${file('ssh_key')}\nAuthorizedKeysFile ${file('authorized_keys')}\nStrictModes no\n`,
    )
    const serve = `exec '${process.execPath}' '${SSHJOB_SERVER}' -i -e -f '${file('sshd_config')}' 2>/dev/null`
    await fs.writeFile(file('serve.sh'), serve)
    await fs.rm(file('first.sh'), { force: true })
    await fs.rm(file('calls'), { force: true })
  })
  afterAll(() => {
    process.env.PATH = saved
  })

  const first = (script: string): Promise<void> => fs.writeFile(file('first.sh'), script)

  /** The keys of a session go when its connection does. */
  async function untilTidy(): Promise<void> {
    while (existsSync(file('session'))) await new Promise((resolve) => setTimeout(resolve, 20))
  }

  it('is entered with the keys that HTCondor gives, and none of them stays', async () => {
    const htcondor = { name: 'ap1', shells: '/bin/sh' }
    const connection = await connectToJob('htcondor:1138', { htcondor })
    const remote = await connection.exec('cat; exit 3', { stdin: 'through' })
    const { stdout, exitCode } = await remote.output()
    expect([stdout.toString(), exitCode]).toEqual(['through', 3])
    await connection.close()
    await untilTidy()
    const calls = readFileSync(file('calls'), 'utf8')
    expect(calls).toMatch(/^-name ap1 -shells \/bin\/sh -keygen-options -t ed25519 -ssh \/bin\/sh /)
    expect(calls).toMatch(/ 1138\.0\n$/)
  })

  it('is not entered where the server has another key than HTCondor says', async () => {
    await fs.writeFile(file('known_hosts'), `* ${generateKey().publicKey}\n`)
    await expect(connectToJob('htcondor:1138.0')).rejects.toMatchObject({ code: 'host-key-mismatch' })
    await untilTidy()
  })

  it('is not entered where what HTCondor ran breaks off in the middle of its line, which is no hello', async () => {
    await first('printf sshjob-carrier; head -c 20000 /dev/zero | tr "\\0" x; exec sleep 100')
    await expect(connectToJob('htcondor:1138.0')).rejects.toMatchObject({
      code: 'protocol-error',
      message:
        'condor_ssh_to_job gave no connection: what it ran wrote more than 16384 bytes without an end of a line.',
    })
  })

  it('is not entered where HTCondor says no, whose words are passed on', async () => {
    await first('echo "eve is not authorized for access to the starter for job 1138.0" >&2; exit 1')
    await expect(connectToJob('htcondor:1138.0')).rejects.toMatchObject({
      code: 'denied',
      message:
        'HTCondor did not let us into the job: eve is not authorized for access to the starter for job 1138.0.',
    })
  })

  it('is entered with another kind of key where the one that is made fast can not be made', async () => {
    await first(
      'case "$*" in *ed25519*) echo "Failed to create ssh key x with command ssh-keygen" >&2; exit 1;; esac',
    )
    const connection = await connectToJob('htcondor:1138.0')
    await connection.close()
    await untilTidy()
    expect(readFileSync(file('calls'), 'utf8').match(/ 1138\.0$/gm)).toHaveLength(2)
  })

  it('is left alone where something else runs than what was asked for', async () => {
    await first('echo Welcome; cat >/dev/null; exit')
    await expect(connectToJob('htcondor:1138.0')).rejects.toMatchObject({ code: 'protocol-error' })
  })

  it('is not entered by a connection that is broken, and no hello is blamed for that', async () => {
    await first('printf sshjob-carrier; head -c 20000 /dev/zero | tr "\\0" x; cat >/dev/null; exit')
    await expect(connectToJob('htcondor:1138.0')).rejects.toMatchObject({
      code: 'protocol-error',
      message: expect.stringMatching(/^condor_ssh_to_job gave no connection: what it ran wrote more than/),
    })
  })

  it('is not looked for by a name that HTCondor does not use', async () => {
    await expect(connectToJob('train', { htcondor: { name: 'ap1' } })).rejects.toMatchObject({
      code: 'usage',
    })
  })

  it('needs the programs of HTCondor', async () => {
    await fs.rename(file('bin'), file('elsewhere'))
    await expect(connectToJob('htcondor:1138.0')).rejects.toMatchObject({ code: 'program-missing' })
    await fs.rename(file('elsewhere'), file('bin'))
  })
})

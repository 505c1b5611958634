import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { closeBridges, openBridge } from '../helpers/bridge.js'
import { sha256 } from '../helpers/bytes.js'
import { also, describeClient, SSH } from '../helpers/clients.js'
import { HOST, sshOf } from '../helpers/openssh.js'
import { runProgram } from '../helpers/programs.js'
import { starterSuite } from '../helpers/starter.js'

describeClient(also(SSH, 'scp'), 'a jump through a job (-J)', () => {
  const { user, start } = starterSuite()
  const ssh = sshOf(user)
  closeBridges()

  /** The options for an SSH server on a port that only the first job is to reach: here, another job. */
  async function behindTheJob(): Promise<string[]> {
    await Promise.all([start(), start({ id: 'other', cwd: user().folder })])
    const { port } = await openBridge(user(), 'other.job')
    const files = join(user().folder, 'run/sshjob/openssh')
    const settings = [
      `Port=${port}`,
      'HostKeyAlias=other.job',
      `IdentityFile=${files}/id_ed25519`,
      `UserKnownHostsFile=${files}/known_hosts`,
      'StrictHostKeyChecking=yes',
    ]
    return ['-J', HOST, ...settings.flatMap((setting) => ['-o', setting])]
  }

  it('runs a command on a server that the job reaches, 5 MB both ways', async () => {
    const data = randomBytes(5_000_000)
    const options = await behindTheJob()
    const command = 'echo $SSHJOB_JOB_ID >&2; cat; exit 7'
    const jump = ssh.start([...options, '127.0.0.1', command], { stdin: data })
    expect(await jump.ended).toEqual({ exitCode: 7, signal: null })
    expect(jump.stderr().toString()).toBe('other\n')
    expect(sha256(jump.stdout())).toBe(sha256(data))
  })

  it('copies a file by scp', async () => {
    const data = randomBytes(1_000_000)
    const [from, to] = [join(user().folder, 'from'), join(user().folder, 'to')]
    writeFileSync(from, data)
    const args = [...ssh.args(), '-q', ...(await behindTheJob()), from, `127.0.0.1:${to}`]
    expect(await runProgram('scp', args, { env: user().env })).toMatchObject({ exitCode: 0, stderr: '' })
    expect(sha256(readFileSync(to))).toBe(sha256(data))
  })
})

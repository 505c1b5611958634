import { randomBytes } from 'node:crypto'
import { copyFileSync } from 'node:fs'
import { describeWith } from '../helpers/needs.js'
import { HOST, sshOf } from '../helpers/openssh.js'
import { starterSuite } from '../helpers/starter.js'

/** What FIPS 140 leaves of OpenSSH's algorithms, as distributions configure it. */
const FIPS = [
  'HostKeyAlgorithms=ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,rsa-sha2-512,rsa-sha2-256',
  'PubkeyAcceptedAlgorithms=ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,rsa-sha2-512,rsa-sha2-256',
  'KexAlgorithms=ecdh-sha2-nistp256,ecdh-sha2-nistp384,diffie-hellman-group14-sha256',
  'Ciphers=aes256-gcm@openssh.com,aes256-ctr',
  'MACs=hmac-sha2-256,hmac-sha2-512',
].flatMap((option) => ['-o', option])

describeWith(['ssh'], 'ssh that may have no ed25519', () => {
  const { user, start } = starterSuite()
  const ssh = sshOf(user)

  it('enters a job by ecdsa on both sides, its host key checked', async () => {
    await start()
    const { exitCode, stdout, stderr } = await ssh.run([...FIPS, '-v', HOST, 'echo in; exit 4'])
    expect({ exitCode, stdout }).toEqual({ exitCode: 4, stdout: 'in\n' })
    expect(stderr).toContain('debug1: kex: host key algorithm: ecdsa-sha2-nistp256')
    expect(stderr).toMatch(/Host 'train\.job' is known and matches the ECDSA host key/)
    expect(stderr).toMatch(/Trying private key: \S+\/id_ecdsa\r?\n/)
  })

  it('does not take the key of another session for the one of this', async () => {
    await start()
    expect((await ssh.run([...FIPS, HOST, 'true'])).exitCode).toBe(0)
    const known = `${user().env.SSHJOB_RUNTIME_DIR}/openssh/known_hosts`
    const copy = `${user().folder}/known`
    const proxied = ['-o', `UserKnownHostsFile=${copy}`, HOST, 'echo reached']
    copyFileSync(known, copy)
    const result = await ssh.run([...FIPS, ...proxied])
    expect(result).toMatchObject({ exitCode: 255, stdout: '' })
    expect(result.stderr).toContain('Host key verification failed')
  })

  it('passes 5 MB both ways, unchanged, while keys are exchanged anew', async () => {
    await start()
    const data = randomBytes(5_000_000)
    const program = ssh.start([...FIPS, '-o', 'RekeyLimit=1M', HOST, 'cat'], { stdin: data })
    expect(await program.ended).toEqual({ exitCode: 0, signal: null })
    expect(program.stdout().equals(data)).toBe(true)
  })
})

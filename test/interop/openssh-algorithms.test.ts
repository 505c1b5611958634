import { createHash, randomBytes } from 'node:crypto'
import crypto from 'ssh2/lib/protocol/crypto.js'
import { offer } from '../../src/ssh/algorithms.js'
import { describeClient, SSH } from '../helpers/clients.js'
import { HOST, sshOf } from '../helpers/openssh.js'
import { runProgram } from '../helpers/programs.js'
import { starterSuite } from '../helpers/starter.js'

const sha256 = (data: Buffer): string => createHash('sha256').update(data).digest('hex')
const { kex, cs } = offer(['ssh-ed25519'])

describeClient(SSH, 'algorithms', () => {
  const { user, start } = starterSuite()
  const ssh = sshOf(user)
  const data = randomBytes(500_000)
  // In one packet, however long it is.
  const command = `: ${'x'.repeat(100_000)}; cat`

  /** Sends the data there and back; fails where ssh was not able to agree on what the options demand. */
  async function echo(options: readonly string[], verbose = ''): Promise<string> {
    const program = ssh.start([...options, ...(verbose === '' ? [] : [verbose]), HOST, command], {
      stdin: data,
    })
    const end = await program.ended
    if (end.exitCode !== 0) return program.stderr().toString()
    expect(sha256(program.stdout())).toBe(sha256(data))
    return program.stderr().toString()
  }

  it('work, each cipher', async () => {
    await start()
    for (const cipher of cs.cipher) {
      expect(await echo(['-c', cipher], '-v')).toContain(`server->client cipher: ${cipher} `)
    }
  })

  it('work, each MAC', async () => {
    await start()
    for (const mac of cs.mac) {
      expect(await echo(['-c', 'aes128-ctr', '-m', mac], '-v')).toContain(`MAC: ${mac} compression`)
    }
  })

  it('work, each key exchange', async () => {
    await start()
    const known = (await runProgram('ssh', ['-Q', 'kex'])).stdout.split('\n')
    for (const name of kex) {
      expect(known).toContain(name)
      expect(await echo(['-o', `KexAlgorithms=${name}`], '-v')).toContain(`kex: algorithm: ${name}\r\n`)
    }
  })

  it('are refused where they are weak', async () => {
    await start()
    const weak = [
      ['-o', 'KexAlgorithms=diffie-hellman-group1-sha1'],
      ['-o', 'KexAlgorithms=diffie-hellman-group-exchange-sha256'],
      ['-c', '3des-cbc'],
      ['-c', 'aes128-ctr', '-m', 'hmac-sha1'],
    ]
    for (const options of weak) expect(await echo(options)).toMatch(/no matching (key exchange|cipher|MAC)/)
  })

  it('stay exact while keys are exchanged anew under load, both ways', async () => {
    await start()
    const load = randomBytes(20_000_000)
    const program = ssh.start(['-v', '-o', 'RekeyLimit=1M', HOST, 'cat'], { stdin: load })
    expect(await program.ended).toEqual({ exitCode: 0, signal: null })
    expect(sha256(program.stdout())).toBe(sha256(load))
    const rekeyed = program.stderr().toString().split('SSH2_MSG_NEWKEYS received').length - 2
    expect(rekeyed).toBeGreaterThan(10)
  })

  it('go from ChaCha20 to AES-GCM for bulk data, where ssh has both and ChaCha20 is not native', async () => {
    await start()
    const bulk = randomBytes(20_000_000)
    const run = async (ciphers: string) => {
      const program = ssh.start(['-v', '-c', ciphers, HOST, 'cat'], { stdin: bulk })
      expect(await program.ended).toEqual({ exitCode: 0, signal: null })
      expect(sha256(program.stdout())).toBe(sha256(bulk))
      return [
        ...program
          .stderr()
          .toString()
          .matchAll(/server->client cipher: (\S+)/g),
      ].map(([, name]) => name)
    }
    const [chacha, gcm] = ['chacha20-poly1305@openssh.com', 'aes256-gcm@openssh.com']
    expect(await run(`${chacha},aes128-ctr,${gcm}`)).toEqual(
      crypto.bindingAvailable ? [chacha] : [chacha, gcm],
    )
    expect(await run(chacha)).toEqual([chacha])
  })
})

import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateKey, parseKey, publicLine } from '../../../src/ssh/keys.js'
import { describeWith } from '../../helpers/needs.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

/** 32 bytes of a point behind the name of the type, as RFC 8709 §4 has it. */
const BLOB_BYTES = 4 + 'ssh-ed25519'.length + 4 + 32

const LIMIT_MS = 60_000

describe('a key', () => {
  it('that is generated works, each of two thousand times: ssh2 loses one in 256', () => {
    const data = Buffer.from('signed')
    for (let i = 0; i < 2_000; i++) {
      const pair = generateKey()
      const [privateKey, publicKey] = [parseKey(pair.privateKey), parseKey(pair.publicKey)]
      const blob = publicKey.getPublicSSH()
      expect(blob.length).toBe(BLOB_BYTES)
      expect(privateKey.getPublicSSH().equals(blob)).toBe(true)
      expect(publicLine(privateKey)).toBe(pair.publicKey)
      if (blob[BLOB_BYTES - 32] !== 0) continue
      const signature = privateKey.sign(data)
      expect(!(signature instanceof Error) && publicKey.verify(data, signature)).toBe(true)
    }
  })

  it(
    'is generated however often: Node.js would wait for itself in one of some thousand exports',
    () => {
      const script = `
      import { generateKey } from './src/ssh/keys.ts'
      for (let i = 0; i < 20_000; i++) generateKey()`
      const options = [
        '--import',
        './test/helpers/register-typescript.mjs',
        '--input-type=module',
        '-e',
        script,
      ]
      const { status, stderr } = spawnSync(process.execPath, options, { encoding: 'utf8', timeout: LIMIT_MS })
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    },
    2 * LIMIT_MS,
  )

  it('is another one each time', () => {
    expect(generateKey().publicKey).not.toBe(generateKey().publicKey)
  })

  it.each(['', 'nonsense', 'ssh-ed25519 AAAA', 'ssh-ed25519', '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n'])(
    'cannot be read from %j',
    (text) => {
      expect(() => parseKey(text)).toThrow('This is not a key in a format of OpenSSH.')
    },
  )
})

describeWith(['ssh-keygen'], 'a generated key in the eyes of OpenSSH', () => {
  const directory = temporaryDirectory()

  it('is a private key with this public half', () => {
    const pair = generateKey()
    const file = join(directory(), 'key')
    writeFileSync(file, pair.privateKey, { mode: 0o600 })
    const { stdout } = spawnSync('ssh-keygen', ['-y', '-f', file], { encoding: 'utf8' })
    expect(stdout).toBe(`${pair.publicKey}\n`)
  })
})

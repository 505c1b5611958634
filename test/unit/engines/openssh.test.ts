import { execFile } from 'node:child_process'
import fs from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { KNOWN_HOSTS_MAX_BYTES } from '../../../src/core/limits.js'
import {
  addKnownHost,
  ensureIdentity,
  type OpensshFiles,
  opensshFiles,
} from '../../../src/engines/openssh.js'
import { generateKey } from '../../../src/ssh/keys.js'
import { describeWith } from '../../helpers/needs.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0='

describe('what OpenSSH needs', () => {
  const root = temporaryDirectory()
  let files: OpensshFiles
  let count = 0

  beforeEach(async () => {
    count += 1
    const base = path.join(root(), String(count))
    await fs.mkdir(base, { mode: 0o700 })
    files = await opensshFiles({ XDG_RUNTIME_DIR: base, TMPDIR: base })
  })

  it('has one identity, private, whoever asks for it at the same time', async () => {
    const keys = await Promise.all([...Array(10)].map(() => ensureIdentity(files, generateKey)))
    expect(new Set(keys).size).toBe(1)
    expect((await fs.stat(files.identity)).mode & 0o777).toBe(0o600)
    expect(await fs.readdir(path.dirname(files.identity))).toEqual(['id_ed25519'])
    await expect(ensureIdentity(files, () => expectNever())).resolves.toBe(keys[0])
  })

  it('refuses an identity that others can read, or that is no key', async () => {
    await ensureIdentity(files, generateKey)
    await fs.chmod(files.identity, 0o644)
    await expect(ensureIdentity(files, generateKey)).rejects.toMatchObject({ code: 'unsafe-directory' })
    await fs.writeFile(
      files.identity,
      '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n',
    )
    await fs.chmod(files.identity, 0o600)
    await expect(ensureIdentity(files, generateKey)).rejects.toMatchObject({
      code: 'unsafe-directory',
      message: expect.stringContaining('is not a private key of OpenSSH'),
    })
  })

  it('loses no host key, whoever adds one at the same time', async () => {
    const hosts = [...Array(300)].map((_, index) => `job${index}.job`)
    await Promise.all(hosts.map((host) => addKnownHost(files, host, KEY)))
    const lines = (await fs.readFile(files.knownHosts[0], 'utf8')).trimEnd().split('\n')
    expect(lines.sort()).toEqual(hosts.map((host) => `${host} ${KEY}`).sort())
    expect((await fs.stat(files.knownHosts[0])).mode & 0o777).toBe(0o600)
  })

  it('sets a long file aside once, keeps it, and goes on in a new one', async () => {
    const [current, old] = files.knownHosts
    const filler = `${'x'.repeat(KNOWN_HOSTS_MAX_BYTES)}\n`
    await fs.writeFile(current, filler)
    const hosts = [...Array(50)].map((_, index) => `job${index}.job`)
    await Promise.all(hosts.map((host) => addKnownHost(files, host, KEY)))
    const both = `${await fs.readFile(old, 'utf8')}${await fs.readFile(current, 'utf8')}`
    expect(both.startsWith(filler)).toBe(true)
    for (const host of hosts) expect(both).toContain(`${host} ${KEY}\n`)
    expect((await fs.stat(current)).size).toBeLessThan(KNOWN_HOSTS_MAX_BYTES)
  })

  it.each(['a b', '*', '!x', 'a,b', 'x\ny', '', '#x', '@revoked'])(
    'adds no line for the host %j',
    async (host) => {
      await expect(addKnownHost(files, host, KEY)).rejects.toMatchObject({ code: 'usage' })
    },
  )

  it('adds no line for a key that would be more than one', async () => {
    await expect(addKnownHost(files, 'a', `${KEY}\n* ${KEY}`)).rejects.toMatchObject({ code: 'usage' })
  })

  describeWith(['ssh-keygen'], 'by the word of ssh-keygen', () => {
    it('is a key and a known_hosts file', async () => {
      const publicKey = await ensureIdentity(files, generateKey)
      const { stdout } = await promisify(execFile)('ssh-keygen', ['-y', '-P', '', '-f', files.identity])
      expect(stdout.split(' ').slice(0, 2).join(' ').trim()).toBe(publicKey)
      await addKnownHost(files, 'train.job', publicKey)
      const found = await promisify(execFile)('ssh-keygen', ['-F', 'train.job', '-f', files.knownHosts[0]])
      expect(found.stdout).toContain(publicKey)
    })
  })
})

function expectNever(): { privateKey: string } {
  throw new Error('a second key was made')
}

import { execFile } from 'node:child_process'
import fs from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { KNOWN_HOSTS_MAX_BYTES } from '../../../src/core/limits.js'
import { addKnownHost } from '../../../src/engines/known-hosts.js'
import { generateEcdsaKey, generateKey } from '../../../src/ssh/keys.js'
import { describeWith } from '../../helpers/needs.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0='

describe('the known hosts of OpenSSH', () => {
  const root = temporaryDirectory()
  let file: string
  let count = 0

  beforeEach(() => {
    count += 1
    file = path.join(root(), `known_hosts${count}`)
  })

  it('have all the keys of a host, each in a line of its own, and are private', async () => {
    await addKnownHost(file, 'train.job', [KEY, 'ecdsa-sha2-nistp256 AAAA'])
    expect(await fs.readFile(file, 'utf8')).toMatch(
      /^# \d+\ntrain\.job ssh-ed25519 \S+\ntrain\.job ecdsa-sha2-nistp256 AAAA\n$/,
    )
    expect((await fs.stat(file)).mode & 0o777).toBe(0o600)
  })

  it('lose no key, whoever adds one at the same time', async () => {
    const hosts = [...Array(300)].map((_, index) => `job${index}.job`)
    await Promise.all(hosts.map((host) => addKnownHost(file, host, [KEY])))
    const lines = (await fs.readFile(file, 'utf8'))
      .trimEnd()
      .split('\n')
      .filter((line) => !line.startsWith('#'))
    expect(lines.sort()).toEqual(hosts.map((host) => `${host} ${KEY}`).sort())
  })

  it('have what was added last, also while they are made shorter, and never grow long', async () => {
    const long = `ssh-ed25519 ${'A'.repeat(1_000)}`
    const has = async (host: string): Promise<boolean> =>
      (await fs.readFile(file, 'utf8')).includes(`${host} ${long}\n`)
    const missing: string[] = []
    for (let round = 0; round < 50; round++) {
      const hosts = [...Array(20)].map((_, index) => `r${round}i${index}.job`)
      await Promise.all(
        hosts.map(async (host) => {
          await addKnownHost(file, host, [long])
          if (!(await has(host))) missing.push(host)
        }),
      )
      // Those of the other rounds are by now: fewer than half of the file came after these.
      for (const host of hosts) if (!(await has(host))) missing.push(host)
    }
    expect(missing).toEqual([])
    expect((await fs.stat(file)).size).toBeLessThan(KNOWN_HOSTS_MAX_BYTES + 20 * 1_100)
    expect(await fs.readFile(file, 'utf8')).toMatch(/^(# \d+\nr\d+i\d+\.job ssh-ed25519 A+\n)+$/)
    expect((await fs.readdir(root())).filter((name) => name.startsWith(`${path.basename(file)}.`))).toEqual(
      [],
    )
  })

  it('lose those that no client waits for any more, once there are many', async () => {
    const old = (seconds: number, host: string): string =>
      `# ${Math.floor(Date.now() / 1_000) - seconds}\n${host} ${KEY}\n`
    const hosts = async (): Promise<string[]> =>
      (await fs.readFile(file, 'utf8'))
        .split('\n')
        .filter((line) => /^\w+\.job/.test(line))
        .map((line) => line.split(' ')[0] ?? '')
    const recent = [...Array(20)].map((_, index) => `recent${index}.job`)
    // The last 16 are kept in any case; of the 31 others and new ones, 15 are not yet many.
    await fs.writeFile(file, `foreign\n${old(60, 'old.job').repeat(30)}${old(-60, 'future.job')}`)
    await addKnownHost(file, 'a.job', [KEY])
    expect(await hosts()).toEqual([...Array(30).fill('old.job'), 'future.job', 'a.job'])
    for (const host of recent) await addKnownHost(file, host, [KEY])
    expect(await hosts()).toEqual([...Array(14).fill('old.job'), 'future.job', 'a.job', ...recent])
    expect(await fs.readFile(file, 'utf8')).not.toContain('foreign')
  })

  it('are added to also where a process was killed while it made them shorter', async () => {
    await fs.writeFile(file, 'x'.repeat(KNOWN_HOSTS_MAX_BYTES + 1))
    const claim = `${file}.claim`
    await fs.writeFile(claim, '')
    const old = new Date(Date.now() - 60_000)
    await fs.utimes(claim, old, old)
    await addKnownHost(file, 'train.job', [KEY])
    expect(await fs.readFile(file, 'utf8')).toContain(`train.job ${KEY}\n`)
  })

  it.each(['a b', '*', '!x', 'a,b', 'x\ny', '', '#x', '@revoked'])(
    'get no line for the host %j',
    async (host) => {
      await expect(addKnownHost(file, host, [KEY])).rejects.toMatchObject({ code: 'usage' })
    },
  )

  it('get no line for a key that would be more than one', async () => {
    await expect(addKnownHost(file, 'a', [KEY, `${KEY}\n* ${KEY}`])).rejects.toMatchObject({ code: 'usage' })
  })

  describeWith(['ssh-keygen'], 'by the word of ssh-keygen', () => {
    it('are known hosts', async () => {
      const keys = [generateKey().publicKey, generateEcdsaKey().publicKey]
      await addKnownHost(file, 'train.job', keys)
      const found = await promisify(execFile)('ssh-keygen', ['-F', 'train.job', '-f', file])
      for (const key of keys) expect(found.stdout).toContain(key)
    })
  })
})

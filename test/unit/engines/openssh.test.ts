import { execFile } from 'node:child_process'
import fs from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { ensureIdentities, type OpensshFiles, opensshFiles } from '../../../src/engines/openssh.js'
import { generateEcdsaKey, generateKey, parseKey, publicLine } from '../../../src/ssh/keys.js'
import { describeWith } from '../../helpers/needs.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const MAKE = { ed25519: generateKey, ecdsa: generateEcdsaKey }
const NEVER = { ed25519: expectNever, ecdsa: expectNever }

describe('the keys that OpenSSH needs', () => {
  const root = temporaryDirectory()
  let files: OpensshFiles
  let count = 0

  beforeEach(async () => {
    count += 1
    files = await opensshFiles(path.join(root(), String(count), 'openssh'))
  })

  it('are in a private folder, which is made with the one above', async () => {
    for (const directory of [files.directory, path.dirname(files.directory)]) {
      expect((await fs.stat(directory)).mode & 0o777).toBe(0o700)
    }
    await fs.chmod(files.directory, 0o755)
    await expect(opensshFiles(files.directory)).rejects.toMatchObject({
      code: 'unsafe-directory',
      message: `The folder ${files.directory} can't be used: others have access to it (mode 755; \`chmod 700\` mends that).`,
    })
  })

  it('are one of each kind, private, whoever asks for them at the same time', async () => {
    const keys = await Promise.all([...Array(10)].map(() => ensureIdentities(files, MAKE)))
    expect(new Set(keys.map(String)).size).toBe(1)
    expect(keys[0]?.map((key) => key.split(' ')[0])).toEqual(['ssh-ed25519', 'ecdsa-sha2-nistp256'])
    for (const identity of files.identities) expect((await fs.stat(identity)).mode & 0o777).toBe(0o600)
    expect((await fs.readdir(files.directory)).sort()).toEqual(['id_ecdsa', 'id_ed25519'])
    await expect(ensureIdentities(files, NEVER)).resolves.toEqual(keys[0])
  })

  it('are known by what their files say, as SSH reads them', async () => {
    const publicKeys = await ensureIdentities(files, MAKE)
    const read = await Promise.all(files.identities.map((file) => fs.readFile(file, 'utf8')))
    expect(read.map((text) => publicLine(parseKey(text)))).toEqual(publicKeys)
  })

  it.each([0, 1] as const)('are refused where others can read one, or one is no key (%i)', async (which) => {
    await ensureIdentities(files, MAKE)
    const file = files.identities[which]
    await fs.chmod(file, 0o644)
    await expect(ensureIdentities(files, NEVER)).rejects.toMatchObject({
      code: 'unsafe-directory',
      message: `${file} is not a private file of yours: remove it.`,
    })
    await fs.chmod(file, 0o600)
    for (const kind of ['OPENSSH', 'EC']) {
      await fs.writeFile(
        file,
        `-----BEGIN ${kind} PRIVATE KEY-----\nAAAA\n-----END ${kind} PRIVATE KEY-----\n`,
      )
      await expect(ensureIdentities(files, NEVER)).rejects.toMatchObject({
        code: 'unsafe-directory',
        message: `${file} is not a private key of OpenSSH: remove it.`,
      })
    }
  })

  describeWith(['ssh-keygen'], 'by the word of ssh-keygen', () => {
    it('are keys', async () => {
      const publicKeys = await ensureIdentities(files, MAKE)
      for (const [index, identity] of files.identities.entries()) {
        const { stdout } = await promisify(execFile)('ssh-keygen', ['-y', '-P', '', '-f', identity])
        expect(stdout.split(' ').slice(0, 2).join(' ').trim()).toBe(publicKeys[index])
      }
    })
  })
})

function expectNever(): { privateKey: string } {
  throw new Error('a second key was made')
}

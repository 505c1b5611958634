import fs from 'node:fs/promises'
import path from 'node:path'
import { temporaryDirectory as placeForTemporaryFiles, whyUnsafe } from '../../../src/core/path-safety.js'
import { describeAsRoot } from '../../helpers/needs.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const MALLORY = 54_399

describe('a path', () => {
  const base = temporaryDirectory()
  let count = 0
  async function directory(...names: string[]): Promise<string> {
    const made = path.join(base(), String(count++), ...names)
    await fs.mkdir(made, { recursive: true, mode: 0o755 })
    return made
  }

  it('is safe where only root and this user may write, whether its end is there or not', async () => {
    const own = await directory('a')
    await fs.writeFile(path.join(own, 'file'), '', { mode: 0o600 })
    for (const target of ['', 'file', 'missing', 'missing/too', 'file/no']) {
      await expect(whyUnsafe(path.join(own, target))).resolves.toBeUndefined()
    }
    for (const device of ['/dev/null', '/dev/fd/0']) await expect(whyUnsafe(device)).resolves.toBeUndefined()
    await expect(whyUnsafe('/etc/passwd')).resolves.toBeUndefined()
    await expect(whyUnsafe('/')).resolves.toBeUndefined()
  })

  it('is not where others may write to it, or to a directory on the way', async () => {
    const own = await directory('a', 'b')
    const above = path.dirname(own)
    for (const mode of [0o777, 0o775, 0o757]) {
      await fs.chmod(above, mode)
      const complaint = `others may write to ${above} (mode ${mode.toString(8)})`
      await expect(whyUnsafe(above)).resolves.toBe(complaint)
      await expect(whyUnsafe(own)).resolves.toBe(complaint)
      await expect(whyUnsafe(path.join(own, 'missing'))).resolves.toBe(complaint)
    }
    // In such a one, nobody else may rename or remove what is this user's.
    await fs.chmod(above, 0o1777)
    await expect(whyUnsafe(own)).resolves.toBeUndefined()
    await fs.writeFile(path.join(own, 'file'), '')
    await fs.chmod(path.join(own, 'file'), 0o666)
    await expect(whyUnsafe(path.join(own, 'file'))).resolves.toMatch(/^others may write to /)
  })

  it('is looked at where its links lead', async () => {
    const own = await directory('a')
    const open = await directory('open')
    await fs.chmod(open, 0o777)
    await fs.symlink(open, path.join(own, 'absolute'))
    await fs.symlink(`../../${path.relative(base(), open)}`, path.join(own, 'relative'))
    await fs.symlink('../a', path.join(own, 'itself'))
    for (const name of ['absolute', 'absolute/missing', 'relative', 'itself/relative/missing']) {
      await expect(whyUnsafe(path.join(own, name))).resolves.toMatch(`others may write to ${open} `)
    }
    await expect(whyUnsafe(path.join(own, 'itself'))).resolves.toBeUndefined()
    await fs.symlink('endless', path.join(own, 'endless'))
    await expect(whyUnsafe(path.join(own, 'endless'))).resolves.toMatch(/links without an end$/)
  })

  it("is not safe for another user, whose file could be put into this one's directory", async () => {
    if (process.geteuid?.() === 0) return
    await expect(whyUnsafe(await directory('a'), MALLORY)).resolves.toMatch(/belongs to user \d+$/)
  })

  describeAsRoot('of another user', () => {
    it('is not safe for root, as a directory, on the way, as a file or as a link', async () => {
      const above = await directory('mallory')
      const below = path.join(above, 'below')
      await fs.mkdir(below)
      const file = path.join(below, 'file')
      await fs.writeFile(file, '')
      const link = path.join(await directory('links'), 'link')
      await fs.symlink('/etc', link)
      const complaint = (name: string): string => `${name} belongs to user ${MALLORY}`

      await fs.chown(file, MALLORY, MALLORY)
      await expect(whyUnsafe(file)).resolves.toBe(complaint(file))
      await fs.lchown(link, MALLORY, MALLORY)
      await expect(whyUnsafe(path.join(link, 'passwd'))).resolves.toBe(complaint(link))
      await fs.chown(above, MALLORY, MALLORY)
      await fs.chmod(above, 0o1777)
      for (const target of [above, below, path.join(below, 'missing')]) {
        await expect(whyUnsafe(target)).resolves.toBe(complaint(above))
      }
    })

    it("is safe for a user below an account's of the system, if it is the user's own", async () => {
      const ALICE = 54_398
      const own = await directory('execute', 'job')
      const execute = path.dirname(own)
      await fs.chown(execute, MALLORY, MALLORY)
      await fs.chown(own, ALICE, ALICE)
      await expect(whyUnsafe(own, ALICE)).resolves.toBeUndefined()
      await expect(whyUnsafe(execute, ALICE)).resolves.toBe(`${execute} belongs to user ${MALLORY}`)
      await fs.chmod(execute, 0o777)
      await expect(whyUnsafe(own, ALICE)).resolves.toBe(`others may write to ${execute} (mode 777)`)
    })

    it('is no place for temporary files', async () => {
      const theirs = await directory('theirs')
      await fs.chown(theirs, MALLORY, MALLORY)
      await expect(placeForTemporaryFiles(theirs)).resolves.toBe('/tmp')
    })
  })

  it('is a place for temporary files if it is there and safe', async () => {
    const own = await directory('own')
    await expect(placeForTemporaryFiles(own)).resolves.toBe(own)
    await expect(placeForTemporaryFiles(path.join(own, 'missing'))).resolves.toBe('/tmp')
    await expect(placeForTemporaryFiles('relative')).resolves.toBe('/tmp')
    await fs.chmod(own, 0o777)
    await expect(placeForTemporaryFiles(own)).resolves.toBe('/tmp')
  })
})

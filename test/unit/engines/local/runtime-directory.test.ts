import fs from 'node:fs/promises'
import path from 'node:path'
import {
  candidateDirectories,
  makePrivateDirectory,
  type Refused,
  runtimeDirectory,
  usableDirectories,
} from '../../../../src/engines/local/runtime-directory.js'
import { itAsRoot } from '../../../helpers/needs.js'
import { temporaryDirectory } from '../../../helpers/temporary-directory.js'

const uid = process.geteuid?.() ?? -1
const SHARED = [
  `/tmp/sshjob-${uid}`,
  `/dev/shm/sshjob-${uid}`,
  `/var/tmp/sshjob-${uid}`,
  `/run/user/${uid}/sshjob`,
]

describe('the folders that sockets may be in', () => {
  it.each<[string, Record<string, string>, string[]]>([
    ['nothing is set', {}, []],
    ['a login has set XDG_RUNTIME_DIR', { XDG_RUNTIME_DIR: `/run/user/${uid}` }, []],
    ['a batch system has set TMPDIR', { TMPDIR: '/scratch/7' }, [`/scratch/7/sshjob-${uid}`]],
    ['TMPDIR is what it is without', { TMPDIR: '/tmp' }, []],
    ['both are their own', { XDG_RUNTIME_DIR: '/r', TMPDIR: '/t' }, ['/r/sshjob', `/t/sshjob-${uid}`]],
    ['both are no absolute paths', { XDG_RUNTIME_DIR: 'r', TMPDIR: '' }, []],
    ['the variable of our own is empty', { SSHJOB_RUNTIME_DIR: '' }, []],
  ])('begin with the same ones where %s', (_title, environment, more) => {
    expect(candidateDirectories(environment)).toEqual([...SHARED, ...more])
  })

  it('are one alone, if that is said', () => {
    expect(candidateDirectories({ SSHJOB_RUNTIME_DIR: '/apart/', TMPDIR: '/t' })).toEqual(['/apart'])
    expect(() => candidateDirectories({ SSHJOB_RUNTIME_DIR: 'apart' })).toThrow(
      "SSHJOB_RUNTIME_DIR is 'apart', and has to be an absolute path.",
    )
  })
})

describe('a folder for sockets', () => {
  const root = temporaryDirectory()
  let base: string
  let directory: string
  let count = 0

  beforeEach(async () => {
    count += 1
    base = path.join(root(), String(count))
    await fs.mkdir(base, { mode: 0o700 })
    directory = path.join(base, 'sshjob')
  })

  const environment = (): { SSHJOB_RUNTIME_DIR: string } => ({ SSHJOB_RUNTIME_DIR: directory })
  const unsafe = (why: string): unknown =>
    expect.objectContaining({
      code: 'unsafe-directory',
      message: `The folder ${directory} can't be used: ${why}.`,
    })

  /** Both ends: what a starter makes of it, and whether a client looks there. */
  async function isRefused(why: string, kind: Refused['kind'] = 'ours'): Promise<void> {
    await expect(runtimeDirectory(environment())).rejects.toEqual(unsafe(why))
    const refused: Refused[] = []
    expect(await list(refused)).toEqual([])
    expect(refused).toEqual([{ directory, kind, why }])
  }
  async function list(refused: Refused[] = []): Promise<string[]> {
    const found: string[] = []
    for await (const one of usableDirectories(candidateDirectories(environment()), refused)) found.push(one)
    return found
  }

  it('is made for the user alone, and then looked into', async () => {
    expect(await list()).toEqual([])
    expect(await runtimeDirectory(environment())).toBe(directory)
    expect((await fs.stat(directory)).mode & 0o777).toBe(0o700)
    expect(await runtimeDirectory(environment())).toBe(directory)
    expect(await list()).toEqual([directory])
  })

  it('is refused on a file system that other machines have too, whose sockets would look dead here', async () => {
    await makePrivateDirectory(directory)
    const status = await fs.statfs(directory)
    const spy = jest.spyOn(fs, 'statfs').mockResolvedValue(Object.assign(status, { type: 0x6969 }))
    await isRefused('it is on a file system that other machines have as well (NFS)').finally(() =>
      spy.mockRestore(),
    )
  })

  it('is given up where its file system does not answer', async () => {
    await makePrivateDirectory(directory)
    const spy = jest.spyOn(fs, 'lstat').mockReturnValue(new Promise(() => undefined))
    await isRefused('its file system did not answer in 2 s').finally(() => spy.mockRestore())
  })

  it.each([
    ['others have access to it (mode 755; `chmod 700` mends that)', 0o755],
    ['others have access to it (mode 710; `chmod 700` mends that)', 0o710],
  ])('is refused where %s', async (why, mode) => {
    await fs.mkdir(directory)
    await fs.chmod(directory, mode)
    await isRefused(why)
  })

  it('is refused when it is a symbolic link, also to a good folder, or a file', async () => {
    const target = path.join(base, 'target')
    await fs.mkdir(target, { mode: 0o700 })
    await fs.symlink(target, directory)
    await isRefused('it is a symbolic link')
    await fs.rm(directory)
    await fs.writeFile(directory, '')
    await isRefused('it is not a folder')
  })

  it('is refused where others may put another in its place, and not where only the owner may', async () => {
    await makePrivateDirectory(directory)
    await fs.chmod(base, 0o777)
    await isRefused(`others may replace it: others may write to ${base} (mode 777)`)
    await fs.chmod(base, 0o1777)
    expect(await list()).toEqual([directory])
  })

  it('is not made where it could not be kept', async () => {
    await fs.chmod(base, 0o777)
    await expect(makePrivateDirectory(directory)).rejects.toEqual(
      unsafe(`others may replace it: others may write to ${base} (mode 777)`),
    )
    expect(await fs.readdir(base)).toEqual([])
    await fs.chmod(base, 0o700)
    directory = path.join(base, 'nowhere', 'sshjob')
    await expect(makePrivateDirectory(directory)).rejects.toEqual(
      unsafe("it can't be made: no such file or directory (ENOENT)"),
    )
  })

  itAsRoot("is refused when it is another user's", async () => {
    await makePrivateDirectory(directory)
    await fs.chown(directory, 54_321, 54_321)
    await isRefused('it belongs to user 54321', 'foreign')
  })

  itAsRoot(
    "is refused, and not made, in another user's folder, such as XDG_RUNTIME_DIR after su",
    async () => {
      await fs.chown(base, 54_321, 54_321)
      const why = `others may replace it: ${base} belongs to user 54321`
      await expect(makePrivateDirectory(directory)).rejects.toEqual(unsafe(why))
      expect(await fs.readdir(base)).toEqual([])
      await fs.mkdir(directory, { mode: 0o700 })
      await isRefused(why)
      await fs.chmod(base, 0o1777)
      await isRefused(why)
    },
  )
})

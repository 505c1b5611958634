import fs from 'node:fs/promises'
import path from 'node:path'
import { runtimeDirectories, runtimeDirectory } from '../../../src/engines/runtime-directory.js'
import { itAsRoot } from '../../helpers/needs.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const uid = process.geteuid?.()

describe('the folder for sockets', () => {
  const root = temporaryDirectory()
  let count = 0

  /** XDG_RUNTIME_DIR and TMPDIR of one test. */
  async function places(): Promise<{ XDG_RUNTIME_DIR: string; TMPDIR: string }> {
    count += 1
    const base = path.join(root(), String(count))
    const environment = { XDG_RUNTIME_DIR: path.join(base, 'run'), TMPDIR: path.join(base, 'tmp') }
    await fs.mkdir(environment.XDG_RUNTIME_DIR, { recursive: true, mode: 0o700 })
    await fs.mkdir(environment.TMPDIR, { mode: 0o700 })
    return environment
  }

  const unsafe = (message: RegExp): unknown =>
    expect.objectContaining({ code: 'unsafe-directory', message: expect.stringMatching(message) })

  it('is made in XDG_RUNTIME_DIR, for the user alone', async () => {
    const environment = await places()
    const directory = await runtimeDirectory(environment)
    expect(directory).toBe(path.join(environment.XDG_RUNTIME_DIR, 'sshjob'))
    expect((await fs.stat(directory)).mode & 0o777).toBe(0o700)
    await expect(runtimeDirectory(environment)).resolves.toBe(directory)
  })

  it.each([
    ['not set', undefined],
    ['not absolute', 'run'],
    ['not there', '/no/such/folder'],
    ["another user's", uid === 0 ? '/var/empty-or-not' : '/root'],
    ['no folder', '/etc/passwd'],
  ])('is in the temporary directory where XDG_RUNTIME_DIR is %s', async (_what, value) => {
    const { TMPDIR } = await places()
    const environment = { TMPDIR, ...(value === undefined ? {} : { XDG_RUNTIME_DIR: value }) }
    await expect(runtimeDirectory(environment)).resolves.toBe(path.join(TMPDIR, `sshjob-${uid}`))
  })

  it.each([
    ['with access for others', /others have access to it \(mode 755; `chmod 700` mends that\)/, 0o755],
    ['with access for the group', /mode 710/, 0o710],
  ])('is refused %s', async (_what, message, mode) => {
    const environment = await places()
    const directory = await runtimeDirectory(environment)
    await fs.chmod(directory, mode)
    await expect(runtimeDirectory(environment)).rejects.toEqual(unsafe(message))
    await expect(runtimeDirectories(environment)).rejects.toEqual(unsafe(message))
  })

  it('is refused when it is a symbolic link, also to a good folder, or a file', async () => {
    const environment = await places()
    const directory = path.join(environment.XDG_RUNTIME_DIR, 'sshjob')
    const target = path.join(environment.TMPDIR, 'target')
    await fs.mkdir(target, { mode: 0o700 })
    await fs.symlink(target, directory)
    await expect(runtimeDirectory(environment)).rejects.toEqual(unsafe(/symbolic link/))
    await fs.rm(directory)
    await fs.writeFile(directory, '')
    await expect(runtimeDirectory(environment)).rejects.toEqual(unsafe(/not a folder/))
  })

  it('is refused where others may put another in its place', async () => {
    const environment = await places()
    await fs.chmod(environment.XDG_RUNTIME_DIR, 0o777)
    await expect(runtimeDirectory(environment)).rejects.toEqual(unsafe(/others may replace it/))
    await fs.chmod(environment.XDG_RUNTIME_DIR, 0o1777)
    await expect(runtimeDirectory(environment)).resolves.toContain('sshjob')
  })

  itAsRoot("is refused when it is another user's", async () => {
    const environment = await places()
    const directory = await runtimeDirectory(environment)
    await fs.chown(directory, 54_321, 54_321)
    await expect(runtimeDirectory(environment)).rejects.toEqual(unsafe(/belongs to user 54321/))
    // In the second place to look, it is as if it were not there.
    const second = path.join(environment.TMPDIR, `sshjob-${uid}`)
    await fs.rename(directory, second)
    await expect(runtimeDirectories(environment)).resolves.toEqual([])
  })

  itAsRoot("is refused below another user's folder, who could put another in its place", async () => {
    const environment = await places()
    await fs.chown(path.dirname(environment.XDG_RUNTIME_DIR), 54_321, 54_321)
    await expect(runtimeDirectory(environment)).rejects.toEqual(
      unsafe(/others may replace it: \S+ belongs to user 54321/),
    )
    await expect(runtimeDirectories(environment)).rejects.toEqual(unsafe(/belongs to user 54321/))
  })

  it('has a second one beside it, for jobs that were started without XDG_RUNTIME_DIR', async () => {
    const environment = await places()
    await expect(runtimeDirectories(environment)).resolves.toEqual([])
    const own = await runtimeDirectory(environment)
    const other = await runtimeDirectory({ TMPDIR: environment.TMPDIR })
    await expect(runtimeDirectories(environment)).resolves.toEqual([own, other])
  })
})

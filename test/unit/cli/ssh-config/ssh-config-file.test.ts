import fs from 'node:fs/promises'
import { join } from 'node:path'
import { installBlock, namesIgnoredIn, removeBlock } from '../../../../src/cli/ssh-config/ssh-config-file.js'
import { describeWithMounts } from '../../../helpers/needs.js'
import { ownMounts } from '../../../helpers/own-mounts.js'
import { runProgram, SSHJOB } from '../../../helpers/programs.js'
import { temporaryDirectory } from '../../../helpers/temporary-directory.js'

const block = (text: string, suffix = '.job'): string =>
  `# >>> sshjob ${suffix} >>>\n${text}\n# <<< sshjob ${suffix} <<<\n`

const BYTES = Buffer.from([0x23, 0xff, 0xfe, 0x0d, 0x0a])

describe('the block in a file', () => {
  const root = temporaryDirectory()
  let folder: string
  let file: string
  let count = 0

  beforeEach(async () => {
    count += 1
    folder = join(root(), String(count))
    await fs.mkdir(folder)
    file = join(folder, 'config')
  })
  const read = (): Promise<string> => fs.readFile(file, 'utf8')

  it('is put into a new file, in a new folder, for nobody else to read', async () => {
    file = join(folder, '.ssh', 'config')
    expect(await installBlock(file, '.job', block('new'))).toBe(
      `The block for *.job is in ${file}: 'ssh JOB.job' enters a job.`,
    )
    expect(await read()).toBe(block('new'))
    expect((await fs.stat(file)).mode & 0o777).toBe(0o600)
    expect((await fs.stat(join(folder, '.ssh'))).mode & 0o777).toBe(0o700)
  })

  it('comes before everything, since the first value counts, and goes as if it had never been there', async () => {
    const own = Buffer.concat([Buffer.from('Host *\n  User me\n'), BYTES, Buffer.from('no line end')])
    await fs.writeFile(file, own, { mode: 0o640 })
    await installBlock(file, '.job', block('new'))
    expect(await fs.readFile(file)).toEqual(Buffer.concat([Buffer.from(block('new')), own]))
    expect((await fs.stat(file)).mode & 0o777).toBe(0o640)
    expect(await removeBlock(file, '.job')).toBe(`The block for *.job is out of ${file}.`)
    expect(await fs.readFile(file)).toEqual(own)
    expect(await removeBlock(file, '.job')).toBe(`${file} has no block for *.job.`)
    expect(await fs.readdir(folder)).toEqual(['config'])
  })

  it('takes the place of the one before, and of those that were printed twice', async () => {
    await fs.writeFile(file, `a\n${block('old')}b\n${block('other', '.box')}\n${block('older')}c`)
    await installBlock(file, '.job', block('new'))
    expect(await read()).toBe(`a\n${block('new')}b\n${block('other', '.box')}\nc`)
    expect(await installBlock(file, '.job', block('new'))).toBe(`${file} has the block for *.job already.`)
    await removeBlock(file, '.box')
    expect(await read()).toBe(`a\n${block('new')}b\n\nc`)
  })

  it.each([
    ['has no end', '# >>> sshjob .job >>>\na\n', /^There is a line '# >>> sshjob \.job >>>' without its /],
    ['has no begin', 'a\n# <<< sshjob .job <<<\n', /^There is a line '# <<< sshjob \.job <<<' without its /],
  ])('is left alone where it %s', async (_what, text, message) => {
    await fs.writeFile(file, text)
    await expect(installBlock(file, '.job', block('new'))).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(message),
    })
    await expect(removeBlock(file, '.job')).rejects.toMatchObject({ code: 'usage' })
    expect(await read()).toBe(text)
  })

  it('goes through a link, which stays', async () => {
    await fs.mkdir(join(folder, 'dotfiles'))
    const target = join(folder, 'dotfiles', 'ssh')
    await fs.writeFile(target, 'mine\n')
    await fs.symlink('dotfiles/ssh', file)
    await installBlock(file, '.job', block('new'))
    expect(await fs.readlink(file)).toBe('dotfiles/ssh')
    expect(await fs.readFile(target, 'utf8')).toBe(`${block('new')}mine\n`)
  })

  it('is not written where a link leads nowhere, where it says it is read-only, and where there is a folder', async () => {
    await fs.symlink('nowhere', file)
    await expect(installBlock(file, '.job', block('new'))).rejects.toMatchObject({
      code: 'no-such-file',
      message: `${file} is a link to nowhere, which is not there.`,
    })
    await fs.rm(file)
    await fs.writeFile(file, 'mine\n', { mode: 0o444 })
    await expect(installBlock(file, '.job', block('new'))).rejects.toMatchObject({
      code: 'permission-denied',
      message: `${file} is read-only: put in by hand what 'sshjob ssh-config' prints.`,
    })
    expect(await read()).toBe('mine\n')
    await fs.rm(file)
    await fs.mkdir(file)
    await expect(installBlock(file, '.job', block('new'))).rejects.toMatchObject({
      code: 'file-failed',
      message: `${file} can't be changed: illegal operation on a directory (EISDIR); put in by hand what 'sshjob ssh-config' prints.`,
    })
  })

  it('is found in a file that is included, and stays there alone', async () => {
    const more = join(folder, 'more.d')
    await fs.mkdir(more)
    await fs.writeFile(join(more, 'jobs.conf'), block('old'))
    await fs.writeFile(join(more, 'other'), 'Host a\n')
    await fs.writeFile(file, `Include "${folder}/nowhere" ${more}/*.conf\n`)
    const message = `The block for *.job is in ${more}/jobs.conf, which ${file} includes: name that file with -F.`
    await expect(installBlock(file, '.job', block('new'))).rejects.toMatchObject({ code: 'usage', message })
    await expect(removeBlock(file, '.job')).rejects.toMatchObject({ code: 'usage', message })
    await installBlock(file, '.box', block('new', '.box'))
  })

  it('knows what is ignored already, in the file and in those that it includes', async () => {
    await fs.writeFile(join(folder, 'more'), '  ignoreunknown=Fancy, Other\n')
    await fs.writeFile(
      file,
      `${block('IgnoreUnknown Ours')}Include ${folder}/more\n# IgnoreUnknown Not\nIgnoreUnknown "UseKeychain"\n`,
    )
    expect(await namesIgnoredIn(file)).toEqual(['UseKeychain', 'Fancy', 'Other'])
    expect(await namesIgnoredIn(join(folder, 'nowhere'))).toEqual([])
  })
})

describe('sshjob ssh-config', () => {
  const folder = temporaryDirectory()
  const sshConfig = (...args: string[]) =>
    runProgram(SSHJOB, ['ssh-config', ...args], {
      env: { ...process.env, SSHJOB_RUNTIME_DIR: join(folder(), 'run') },
    })

  it('--install writes what is printed otherwise, once, and --remove takes it out again', async () => {
    const file = join(folder(), 'config')
    const printed = await sshConfig()
    for (let round = 0; round < 2; round++) {
      expect(await sshConfig('--install', '-F', file)).toMatchObject({ exitCode: 0, stderr: '' })
      expect(`\n${await fs.readFile(file, 'utf8')}`).toBe(printed.stdout)
    }
    await sshConfig('--install', '-F', file, '--host-suffix', '.gpu')
    await sshConfig('--remove', '-F', file)
    expect(await fs.readFile(file, 'utf8')).toMatch(
      /^# >>> sshjob \.gpu >>>\n[\s\S]*\n# <<< sshjob \.gpu <<<\n$/,
    )
  })

  it.each(['', 'job', '.Job', '.', '. x', '*', '.x\nProxyCommand reboot'])(
    'refuses the suffix %j',
    async (suffix) => {
      expect(await sshConfig('--host-suffix', suffix)).toMatchObject({
        exitCode: 255,
        stdout: '',
        stderr: expect.stringMatching(/^sshjob: A host suffix begins with /),
      })
    },
  )

  it('refuses to do both at once', async () => {
    expect((await sshConfig('--install', '--remove')).stderr).toMatch(/exclude each other/)
  })
})

describeWithMounts('the file that ssh reads', () => {
  const mounts = ownMounts()

  it('is below the home of the account, whatever HOME says', async () => {
    await mounts().sh('mount -t tmpfs none /root; mkdir /run/user/home')
    const { stdout } = await mounts().sshjob(['ssh-config', '--install'], { HOME: '/run/user/home' })
    expect(stdout).toBe("The block for *.job is in /root/.ssh/config: 'ssh JOB.job' enters a job.\n")
    expect(
      await mounts().sh('ls -A /run/user/home; stat -c %a /root/.ssh; ssh -G a.job | grep ^userknown'),
    ).toBe('700\nuserknownhostsfile /tmp/sshjob-0/openssh/known_hosts\n')
  })

  it('works from every environment, in which the keys would be elsewhere', async () => {
    await mounts().sh('mount -t tmpfs none /root; mkdir -m 700 /run/user/scratch')
    await mounts().sshjob(['ssh-config', '--install'], { XDG_RUNTIME_DIR: '/run/user/0' })
    const starter = mounts().startServer(['--job-id', 'train', '--', 'cat'])
    await mounts().sshjob(['-q', '--wait=20', 'train', 'true'])
    for (const variables of [
      '',
      'XDG_RUNTIME_DIR=/run/user/0',
      'TMPDIR=/run/user/scratch',
      'SSHJOB_RUNTIME_DIR=',
      'env -i PATH=/usr/bin:/bin',
    ]) {
      expect(await mounts().sh(`${variables} ssh train.job 'echo in' 2>&1`)).toBe('in\n')
    }
    // As after a boot.
    await mounts().sh('rm -rf /tmp/sshjob-0/openssh')
    expect(await mounts().sh("ssh train.job 'echo in' 2>&1")).toBe('in\n')
    starter.child.stdin.end()
    await starter.ended
  })
})

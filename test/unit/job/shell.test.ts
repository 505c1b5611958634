import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chooseDirectory, chooseShell, findProgram } from '../../../src/job/shell.js'
import { runIn, testJob } from '../../helpers/job-session.js'

describe('the choice of a shell', () => {
  let folder: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sshjob-shell-'))
    for (const name of ['fine', 'nologin', 'plain']) writeFileSync(join(folder, name), '#!/bin/sh\n')
    for (const name of ['fine', 'nologin']) chmodSync(join(folder, name), 0o755)
    mkdirSync(join(folder, 'folder'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const choose = (choice: Partial<Parameters<typeof chooseShell>[0]>): string =>
    chooseShell({ requested: [], jobShell: undefined, accountShell: undefined, path: folder, ...choice })

  it('takes what is asked for, by path or by name', () => {
    expect(choose({ requested: [join(folder, 'fine')], jobShell: '/bin/sh' })).toBe(join(folder, 'fine'))
    expect(choose({ requested: ['fine'], jobShell: '/bin/sh' })).toBe(join(folder, 'fine'))
  })

  it('goes on to the next where one is missing, a folder, not executable, or not absolute', () => {
    const requested = [
      'missing',
      '/missing',
      join(folder, 'plain'),
      join(folder, 'folder'),
      './fine',
      '',
      'fine',
    ]
    expect(choose({ requested })).toBe(join(folder, 'fine'))
  })

  it("takes the job's, then the account's", () => {
    expect(choose({ jobShell: join(folder, 'fine'), accountShell: '/bin/sh' })).toBe(join(folder, 'fine'))
    expect(choose({ jobShell: '/missing', accountShell: join(folder, 'fine') })).toBe(join(folder, 'fine'))
  })

  it('passes over programs that stand for no login', () => {
    expect(choose({ jobShell: '/bin/false', accountShell: join(folder, 'nologin') })).toBe('/bin/bash')
  })

  it('is said in SHELL where the job has none, and is what runs', async () => {
    const job = testJob({ environment: new Map([['PATH', Buffer.from('/usr/bin:/bin')]]), shells: ['sh'] })
    const { stdout } = await runIn(job, 'echo "$0 $SHELL"')
    expect(stdout).toMatch(/^(\/usr)?\/bin\/sh (\/usr)?\/bin\/sh\n$/)
  })
})

describe('the directory of a session', () => {
  it("is the job's, HOME where that is gone, and / where HOME is, too", async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sshjob-cwd-'))
    const environment = new Map([
      ['PATH', Buffer.from('/usr/bin:/bin')],
      ['HOME', Buffer.from('/usr')],
    ])
    const there = testJob({ environment, directory: folder })
    expect((await runIn(there, 'pwd')).stdout).toBe(`${folder}\n`)
    rmSync(folder, { recursive: true })
    expect((await runIn(there, 'pwd')).stdout).toBe('/usr\n')
    environment.set('HOME', Buffer.from('/nowhere'))
    expect((await runIn(there, 'pwd')).stdout).toBe('/\n')
  })

  it('is never a file or a relative path', () => {
    expect(chooseDirectory(['/etc/passwd', 'src', undefined, '/usr'])).toBe('/usr')
  })
})

describe('finding a program', () => {
  it('looks into the folders of PATH, and at a path from the directory', () => {
    expect(findProgram('sh', '/nowhere:/bin', '/')).toBe('/bin/sh')
    expect(findProgram('bin/sh', undefined, '/')).toBe('/bin/sh')
    expect(findProgram('sh', '/nowhere', '/')).toBeUndefined()
    expect(findProgram('a\0b', undefined, '/')).toBeUndefined()
  })
})

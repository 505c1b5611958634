import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chooseShell } from '../../../src/job/shell.js'
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

  const choose = async (choice: Partial<Parameters<typeof chooseShell>[0]>): Promise<string> => {
    const nothing = { requested: [], jobShell: undefined, accountShell: undefined }
    const { shell, notices } = await chooseShell({ ...nothing, path: folder, ...choice })
    expect(notices).toEqual([])
    return shell
  }

  it('takes what is asked for, by path or by name', async () => {
    expect(await choose({ requested: [join(folder, 'fine')], jobShell: '/bin/sh' })).toBe(
      join(folder, 'fine'),
    )
    expect(await choose({ requested: ['fine'], jobShell: '/bin/sh' })).toBe(join(folder, 'fine'))
  })

  it('goes on to the next where one is missing, a folder, not executable, or not absolute', async () => {
    const requested = [
      'missing',
      '/missing',
      join(folder, 'plain'),
      join(folder, 'folder'),
      './fine',
      '',
      'fine',
    ]
    expect(await choose({ requested })).toBe(join(folder, 'fine'))
  })

  it("takes the job's, then the account's", async () => {
    expect(await choose({ jobShell: join(folder, 'fine'), accountShell: '/bin/sh' })).toBe(
      join(folder, 'fine'),
    )
    expect(await choose({ jobShell: '/missing', accountShell: join(folder, 'fine') })).toBe(
      join(folder, 'fine'),
    )
  })

  it('passes over programs that stand for no login', async () => {
    expect(await choose({ jobShell: '/bin/false', accountShell: join(folder, 'nologin') })).toBe('/bin/bash')
  })

  it('is said in SHELL where the job has none, and is what runs', async () => {
    const job = testJob({ environment: new Map([['PATH', Buffer.from('/usr/bin:/bin')]]), shells: ['sh'] })
    const { stdout } = await runIn(job, 'echo "$0 $SHELL"')
    expect(stdout).toMatch(/^(\/usr)?\/bin\/sh (\/usr)?\/bin\/sh\n$/)
  })
})

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readAccount } from '../../../src/job/account.js'
import { readAll, startIn, testJob } from '../../helpers/job-session.js'
import { describeAsRoot } from '../../helpers/needs.js'
import { runProgram } from '../../helpers/programs.js'

const helper = (name: string): string => join(process.cwd(), 'test/helpers', name)
const HOST = ['--import', helper('register-typescript.mjs'), helper('job-host.ts')]
const NOBODYS_UID = 54321

describe('the account', () => {
  it('has at least a name', () => {
    expect(readAccount().name).not.toBe('')
  })
})

describe('a working directory that was deleted before the starter', () => {
  it('stops no session', async () => {
    const before = process.cwd()
    const folder = mkdtempSync(join(tmpdir(), 'sshjob-gone-'))
    process.chdir(folder)
    rmSync(folder, { recursive: true })
    try {
      const session = await startIn(testJob({ environment: new Map([['HOME', Buffer.from('/usr')]]) }), 'pwd')
      expect((await readAll(session.stdout)).toString()).toBe('/usr\n')
    } finally {
      process.chdir(before)
    }
  })
})

describeAsRoot('a uid that exists nowhere', () => {
  const run = async (command: string, env: NodeJS.ProcessEnv): Promise<ReturnType<typeof JSON.parse>> => {
    const options = { uid: NOBODYS_UID, gid: NOBODYS_UID, cwd: '/', env }
    const { stdout, stderr } = await runProgram(process.execPath, [...HOST, 'once', command], options)
    if (stdout === '') throw new Error(stderr)
    return JSON.parse(stdout)
  }

  it('has sessions, in a terminal and not, with nothing in its environment', async () => {
    const { user, shown } = await run('id -u; id -G; echo $HOME $USER $LOGNAME $SHELL; pwd', {})
    expect(user).toBe('54321')
    const expected = '54321\n54321\n/ 54321 54321 /bin/bash\n/\n'
    for (const { output, end } of shown) {
      expect(output.replaceAll('\r', '')).toBe(expected)
      expect(end).toEqual({ exitCode: 0 })
    }
  })

  it('has sessions when its shell says nologin and its HOME is not there', async () => {
    const env = { SHELL: '/usr/sbin/nologin', HOME: '/nowhere', PATH: '/usr/bin:/bin' }
    const { shown } = await run('echo fine; echo late > /dev/stderr; [ "$HOME" = /nowhere ]', env)
    for (const { output, end } of shown) {
      expect(output.replaceAll('\r', '')).toBe('fine\nlate\n')
      expect(end).toEqual({ exitCode: 0 })
    }
  })
})

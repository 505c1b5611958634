import { mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { chooseDirectory } from '../../../src/job/directory.js'
import { runIn, testJob } from '../../helpers/job-session.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const folder = temporaryDirectory()

describe('the directory of a session', () => {
  const environment = new Map([
    ['PATH', Buffer.from('/usr/bin:/bin')],
    ['HOME', Buffer.from('/usr')],
    ['PWD', Buffer.from('/stale')],
  ])
  const pwd = async (job: ReturnType<typeof testJob>): Promise<string> => (await runIn(job, 'pwd')).stdout

  it("is the job's, HOME where that is gone, and / where HOME is, too", async () => {
    const directory = join(folder(), 'job')
    mkdirSync(directory)
    const there = testJob({ environment, directory })
    expect(await pwd(there)).toBe(`${directory}\n`)
    rmSync(directory, { recursive: true })
    expect(await pwd(there)).toBe('/usr\n')
    expect(await pwd(testJob({ environment: new Map([...environment].slice(0, 1)), directory }))).not.toBe('')
    const homeless = new Map([...environment, ['HOME', Buffer.from('/nowhere')] as const])
    expect(await pwd(testJob({ environment: homeless, directory }))).toBe('/\n')
  })

  it('is the first of several that can be entered', async () => {
    expect(await pwd(testJob({ environment, directory: ['/nowhere', '/usr/bin', '/'] }))).toBe('/usr/bin\n')
  })

  it('is never a file or a relative path', async () => {
    expect(await chooseDirectory(['/etc/passwd', 'src', undefined, '/usr'])).toEqual({
      directory: '/usr',
      notices: [],
    })
  })

  it("is this process's own wherever that is, and not what has its name now", async () => {
    const before = process.cwd()
    const directory = join(folder(), 'moved')
    mkdirSync(directory)
    process.chdir(directory)
    try {
      const job = testJob({ environment })
      renameSync(directory, `${directory}-away`)
      mkdirSync(directory)
      expect(await pwd(job)).toBe(`${directory}-away\n`)
    } finally {
      process.chdir(before)
    }
  })
})

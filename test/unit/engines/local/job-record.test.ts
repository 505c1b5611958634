import { spawn } from 'node:child_process'
import fs from 'node:fs/promises'
import path from 'node:path'
import { findOrphan, recordFile, writeRecord } from '../../../../src/engines/local/job-record.js'
import { temporaryDirectory } from '../../../helpers/temporary-directory.js'

const GONE = { pid: 4_000_000, startTime: 1 }

describe('the record of a job', () => {
  const folder = temporaryDirectory()
  let child: ReturnType<typeof spawn>
  let pid: number

  beforeEach(async () => {
    child = spawn('sleep', ['60'], { stdio: 'ignore' })
    pid = child.pid ?? -1
    await writeRecord(recordFile(folder(), 'a'), pid)
  })
  afterEach(async () => {
    await end()
    await fs.rm(recordFile(folder(), 'a'), { force: true })
  })

  async function end(): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
  }
  async function change(fields: object): Promise<void> {
    const file = recordFile(folder(), 'a')
    const record: unknown = JSON.parse(await fs.readFile(file, 'utf8'))
    await fs.writeFile(file, JSON.stringify(Object.assign({}, record, fields)))
  }
  const isThere = (): Promise<boolean> =>
    fs.lstat(recordFile(folder(), 'a')).then(
      () => true,
      () => false,
    )

  it('names the process of a job that runs on without its starter, and is private', async () => {
    await change({ starter: GONE })
    expect(await findOrphan(folder(), 'a')).toEqual({ id: 'a', starter: GONE.pid, pid })
    expect((await fs.stat(recordFile(folder(), 'a'))).mode & 0o777).toBe(0o600)
    expect(await fs.readdir(folder())).toEqual(['a.job'])
    expect(await findOrphan(folder(), 'b')).toBeUndefined()
  })

  it('says nothing, and stays, while the starter runs: whoever looked before it listened may be here only now', async () => {
    expect(await findOrphan(folder(), 'a')).toBeUndefined()
    await end()
    expect(await findOrphan(folder(), 'a')).toBeUndefined()
    expect(await isThere()).toBe(true)
  })

  it('goes with both', async () => {
    await change({ starter: GONE })
    await end()
    expect(await findOrphan(folder(), 'a')).toBeUndefined()
    expect(await isThere()).toBe(false)
  })

  it.each([
    ['another process that has the number now', () => ({ starter: GONE, job: { pid, startTime: 1 } })],
    ['a boot before this one', () => ({ boot: 'another' })],
    ['somebody who writes something else', () => ({ job: 'seven' })],
  ])('goes where it is of %s', async (_what, fields) => {
    await change(fields())
    expect(await findOrphan(folder(), 'a')).toBeUndefined()
    expect(await isThere()).toBe(false)
  })

  it('stays, and says nothing, where its numbers are of another container', async () => {
    await change({ namespace: 'pid:[1]', starter: GONE })
    expect(await findOrphan(folder(), 'a')).toBeUndefined()
    expect(await isThere()).toBe(true)
  })

  it.each(['', '{', 'null', '[]', '{"boot":1}'])('goes where it is no record: %j', async (text) => {
    await fs.writeFile(path.join(folder(), 'a.job'), text)
    expect(await findOrphan(folder(), 'a')).toBeUndefined()
    expect(await isThere()).toBe(false)
  })
})

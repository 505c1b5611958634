import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import { join } from 'node:path'
import type { FileProgress, RemoteFiles } from '../../../../src/client/sftp/types.js'
import { readAll, sha256, writeInPieces } from '../../../helpers/bytes.js'
import { idle, outsideJob } from '../../../helpers/memory-job.js'
import { type SessionPair, sessionPair } from '../../../helpers/session-pair.js'
import { temporaryDirectory } from '../../../helpers/temporary-directory.js'

describe('the files of a job', () => {
  const directory = temporaryDirectory()
  const inside = (name: string): string => join(directory(), name)
  const data = randomBytes(5_000_003)
  let session: SessionPair
  let files: RemoteFiles
  beforeAll(async () => {
    session = await sessionPair()
    files = session.client.files
  })
  afterAll(() => session.close())

  it('are written and read whole', async () => {
    await files.writeFile(inside('whole'), data, { mode: 0o600 })
    expect(sha256(await files.readFile(inside('whole')))).toBe(sha256(data))
    expect(fs.statSync(inside('whole')).mode & 0o777).toBe(0o600)
    await files.writeFile(inside('whole'), 'short')
    expect(fs.readFileSync(inside('whole'), 'utf8')).toBe('short')
  })

  it('are read where they say that they are empty', async () => {
    expect((await files.readFile('/proc/self/status')).toString()).toContain('Pid:')
  })

  it('are not read past a stated limit', async () => {
    await files.writeFile(inside('limit'), data)
    const read = files.readFile(inside('limit'), { limit: 1_000_000 })
    await expect(read).rejects.toMatchObject({ code: 'output-limit' })
  })

  it('are streams, of all or of a part', async () => {
    const target = files.createWriteStream(inside('stream'))
    await Promise.all([writeInPieces(target, data).then(() => target.end()), pipelineEnd(target)])
    expect(sha256(fs.readFileSync(inside('stream')))).toBe(sha256(data))
    expect(sha256(await readAll(files.createReadStream(inside('stream'))))).toBe(sha256(data))
    const part = await readAll(files.createReadStream(inside('stream'), { start: 1_000, end: 3_000_000 }))
    expect(part.equals(data.subarray(1_000, 3_000_000))).toBe(true)
    const patch = files.createWriteStream(inside('stream'), { start: 10 })
    patch.end('patch')
    await pipelineEnd(patch)
    expect(fs.readFileSync(inside('stream')).subarray(8, 17).toString('latin1')).toContain('patch')
    expect(fs.statSync(inside('stream')).size).toBe(data.length)
  })

  it('have a read stream that can be left early', async () => {
    await files.writeFile(inside('left'), data)
    for await (const chunk of files.createReadStream(inside('left'))) {
      expect(chunk.length).toBeGreaterThan(0)
      break
    }
    expect((await files.stat(inside('left'))).size).toBe(data.length)
  })

  it('fail with a code and a sentence that names the path', async () => {
    await expect(files.readFile('/nowhere/at all')).rejects.toMatchObject({
      code: 'no-such-file',
      message: '/nowhere/at all in the job: No such file.',
    })
    await expect(files.writeFile('/dev/full', 'x')).rejects.toMatchObject({ code: 'file-failed' })
    await expect(files.rmdir('/nowhere')).rejects.toMatchObject({ code: 'no-such-file' })
    const stream = files.createWriteStream('/nowhere/x')
    stream.end('x')
    await expect(pipelineEnd(stream)).rejects.toMatchObject({ code: 'no-such-file' })
  })

  it('are listed, with names that are not UTF-8, and looked at', async () => {
    const folder = inside('listed')
    await files.mkdir(folder, { mode: 0o750 })
    const odd = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff, 0xfe])])
    await files.writeFile(odd, 'odd')
    await files.symlink('nowhere', `${folder}/link`)
    const entries = (await files.readdir(folder)).map(({ nameBytes, type, size }) => [
      nameBytes.toString('latin1'),
      type,
      size,
    ])
    expect(entries.sort()).toEqual([
      ['link', 'link', 7],
      ['\xff\xfe', 'file', 3],
    ])
    expect(await files.stat(folder)).toMatchObject({ type: 'folder', mode: 0o750 })
    expect(await files.lstat(`${folder}/link`)).toMatchObject({ type: 'link' })
    expect((await files.readlink(`${folder}/link`)).toString()).toBe('nowhere')
  })

  it('are renamed over others, removed, and have permissions and times set', async () => {
    await files.writeFile(inside('a'), 'a')
    await files.writeFile(inside('b'), 'b')
    await files.rename(inside('a'), inside('b'))
    expect((await files.readFile(inside('b'))).toString()).toBe('a')
    const modified = new Date(1_200_000_000_000)
    await files.setAttributes(inside('b'), { mode: 0o604, modified })
    expect(await files.stat(inside('b'))).toMatchObject({ mode: 0o604, modified })
    await files.remove(inside('b'))
    expect(fs.existsSync(inside('b'))).toBe(false)
  })

  it('are copied both ways, with progress up to the end', async () => {
    fs.writeFileSync(inside('up'), data, { mode: 0o741 })
    // Rounded to milliseconds, it would be in the next second.
    fs.utimesSync(inside('up'), 1_000_000_000, 1_100_000_000.9998)
    const seen: FileProgress[] = []
    const onProgress = (progress: FileProgress): void => void seen.push(progress)
    await files.upload(inside('up'), inside('there'), { onProgress, preserve: true })
    expect(seen[0]).toEqual({ done: 0, total: data.length })
    expect(seen.at(-1)).toEqual({ done: data.length, total: data.length })
    seen.length = 0
    await files.download(inside('there'), inside('down'), { onProgress, preserve: true })
    expect(seen.at(-1)).toEqual({ done: data.length, total: data.length })
    expect(sha256(fs.readFileSync(inside('down')))).toBe(sha256(data))
    for (const name of ['there', 'down']) {
      const { mode, mtimeMs } = fs.statSync(inside(name))
      expect([mode & 0o777, mtimeMs]).toEqual([0o741, 1_100_000_000_000])
    }
  })

  it.each([
    [undefined, 0o755],
    [true, 0o1755],
  ])('are copied without set-ID bits, preserve: %s', async (preserve, expected) => {
    const copy = { ...(preserve && { preserve }) }
    fs.writeFileSync(inside('set-id'), '')
    fs.chmodSync(inside('set-id'), 0o7755)
    for (const name of ['set-id-up', 'set-id-down']) fs.rmSync(inside(name), { force: true })
    await files.upload(inside('set-id'), inside('set-id-up'), copy)
    await files.download(inside('set-id'), inside('set-id-down'), copy)
    for (const name of ['set-id-up', 'set-id-down']) {
      expect((fs.statSync(inside(name)).mode & 0o7777).toString(8)).toBe(expected.toString(8))
    }
    // Whoever says a mode gets it: sftp-server(8) does the same.
    await files.setAttributes(inside('set-id-up'), { mode: 0o4711 })
    expect((fs.statSync(inside('set-id-up')).mode & 0o7777).toString(8)).toBe('4711')
  })

  it('go on where a transfer broke off, if what is there is the beginning', async () => {
    fs.writeFileSync(inside('original'), data)
    fs.writeFileSync(inside('part'), data.subarray(0, 3_000_000))
    const first: number[] = []
    await files.upload(inside('original'), inside('part'), {
      resume: true,
      onProgress: ({ done }) => void first.push(done),
    })
    expect(first[0]).toBe(3_000_000)
    expect(sha256(fs.readFileSync(inside('part')))).toBe(sha256(data))
    fs.truncateSync(inside('part'), 1_000_000)
    await files.download(inside('original'), inside('part'), { resume: true })
    expect(sha256(fs.readFileSync(inside('part')))).toBe(sha256(data))
    fs.writeFileSync(inside('part'), 'something else')
    for (const copy of [
      () => files.download(inside('original'), inside('part'), { resume: true }),
      () => files.upload(inside('original'), inside('part'), { resume: true }),
    ]) {
      await expect(copy()).rejects.toMatchObject({ code: 'file-failed' })
    }
    expect(fs.readFileSync(inside('part'), 'utf8')).toBe('something else')
  })

  it('do not go on behind a hole, which a server that was killed may leave', async () => {
    fs.writeFileSync(inside('original'), data)
    const part = Buffer.from(data.subarray(0, 3_000_000)).fill(0, 1_000_000, 1_300_000)
    fs.writeFileSync(inside('part'), part)
    await expect(files.upload(inside('original'), inside('part'), { resume: true })).rejects.toMatchObject({
      code: 'file-failed',
    })
  })

  it('are not written through a link, unless that is wanted', async () => {
    fs.writeFileSync(inside('precious'), 'precious')
    fs.symlinkSync('precious', inside('trap'))
    fs.writeFileSync(inside('new'), 'new')
    await expect(files.upload(inside('new'), inside('trap'))).rejects.toMatchObject({ code: 'file-failed' })
    await expect(files.download(inside('new'), inside('trap'))).rejects.toMatchObject({ code: 'file-failed' })
    expect(fs.readFileSync(inside('precious'), 'utf8')).toBe('precious')
    await files.upload(inside('new'), inside('trap'), { followLinks: true })
    expect(fs.readFileSync(inside('precious'), 'utf8')).toBe('new')
  })

  it('stop at an abort', async () => {
    fs.writeFileSync(inside('long'), data)
    const abort = new AbortController()
    const onProgress = (): void => abort.abort()
    const copy = files.upload(inside('long'), inside('aborted'), { onProgress, signal: abort.signal })
    await expect(copy).rejects.toMatchObject({ code: 'aborted' })
    await expect(files.stat('/', { signal: abort.signal })).rejects.toMatchObject({ code: 'aborted' })
    expect((await files.stat('/')).type).toBe('folder')
  })

  it('share one channel', async () => {
    await Promise.all([files.stat('/'), files.stat('/'), files.readdir('/')])
    expect(session.served.channels).toBe(1)
  })

  it('are refused where this process is not inside the job', async () => {
    const outside = await sessionPair({ job: outsideJob(idle) })
    await expect(outside.client.files.stat('/')).rejects.toMatchObject({ code: 'request-refused' })
    await outside.close()
    await expect(outside.client.files.stat('/')).rejects.toMatchObject({ code: 'connection-closed' })
  })

  it('fail with the cause when the connection is lost', async () => {
    const lost = await sessionPair()
    await lost.client.files.stat('/')
    const reading = readAll(lost.client.files.createReadStream('/dev/zero'))
    const stat = lost.client.files.stat('/')
    lost.serverStream.destroy()
    await expect(stat).rejects.toMatchObject({ code: 'connection-lost' })
    await expect(reading).rejects.toMatchObject({ code: 'connection-lost' })
    await lost.close()
  })
})

function pipelineEnd(stream: NodeJS.WritableStream): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.once('close', resolve)
    stream.once('error', reject)
  })
}

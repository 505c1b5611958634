import { mkdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { downloadTree, type SshjobError, uploadTree } from '../../../../src/index.js'
import { type SessionPair, sessionPair } from '../../../helpers/session-pair.js'
import { temporaryDirectory } from '../../../helpers/temporary-directory.js'

describe('a tree', () => {
  const directory = temporaryDirectory()
  const at = (...names: string[]): string => join(directory(), ...names)
  let pair: SessionPair

  beforeAll(async () => {
    pair = await sessionPair()
    mkdirSync(at('tree/inner'), { recursive: true })
    writeFileSync(at('tree/file'), '12345')
    writeFileSync(at('tree/inner/script'), '#!/bin/sh\n', { mode: 0o751 })
    symlinkSync('nowhere', at('tree/link'))
    writeFileSync(at('large'), Buffer.alloc(3_000_000, 'abc'))
    mkdirSync(at('there'))
  })
  afterAll(() => pair.close())

  it('is copied into the job and back, with what is in it, and tells how far it is', async () => {
    const { files } = pair.client
    const seen: unknown[] = []
    await uploadTree(files, [at('tree'), Buffer.from(at('large'))], at('there'), {
      onStart: (size) => seen.push(size),
      onProgress: ({ done, total, path }) => {
        expect(path.toString().startsWith(at('there'))).toBe(true)
        seen[1] = { done, total }
      },
    })
    const bytes = 3_000_000 + 5 + 10
    expect(seen).toEqual([
      { items: 6, bytes },
      { done: bytes, total: bytes },
    ])
    await downloadTree(files, at('there/tree'), at('back'), { preserve: true })
    expect(readFileSync(at('back/file'), 'utf8')).toBe('12345')
    expect(statSync(at('back/inner/script')).mode & 0o777).toBe(0o751)
    expect(readlinkSync(at('back/link'))).toBe('nowhere')
    expect(readFileSync(at('there/large')).equals(readFileSync(at('large')))).toBe(true)
  })

  it('is copied as far as it can be, and the call says what could not, and why', async () => {
    mkdirSync(at('partly/tree/file'), { recursive: true })
    const failures: string[] = []
    const copying = uploadTree(pair.client.files, at('tree'), at('partly'), {
      onFailure: ({ code, message }: SshjobError) => failures.push(`${code}: ${message}`),
    })
    await expect(copying).rejects.toMatchObject({
      code: 'file-failed',
      message: expect.stringMatching(/^1 of 5 could not be copied: .*tree\/file is not copied: /),
    })
    expect(failures).toEqual([expect.stringMatching(/^file-failed: .*tree\/file is not copied: /)])
    expect(readlinkSync(at('partly/tree/link'))).toBe('nowhere')
  })

  it('is gone on with after it was aborted', async () => {
    const { files } = pair.client
    const abort = new AbortController()
    const aborted = uploadTree(files, at('large'), at('resumed'), {
      signal: abort.signal,
      onProgress: ({ done }) => {
        if (done > 0) abort.abort()
      },
    })
    await expect(aborted).rejects.toMatchObject({ code: 'aborted' })
    // What was on the way may still arrive.
    const there = statSync(at('resumed')).size
    expect(there).toBeGreaterThan(0)
    const steps: number[] = []
    await uploadTree(files, at('large'), at('resumed'), {
      resume: true,
      onProgress: ({ done }) => steps.push(done),
    })
    expect(steps[0]).toBeGreaterThanOrEqual(there)
    expect(readFileSync(at('resumed')).equals(readFileSync(at('large')))).toBe(true)
    await expect(
      uploadTree(files, at('tree'), at('there'), { signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ code: 'aborted' })
  })

  it('is not begun where its place is missing', async () => {
    await expect(downloadTree(pair.client.files, at('none'), at('back'))).rejects.toMatchObject({
      code: 'no-such-file',
      message: `${at('none')} does not exist in the job.`,
    })
    await expect(uploadTree(pair.client.files, at('tree'), at('no/such'))).rejects.toMatchObject({
      code: 'no-such-file',
    })
  })

  it('leaves out, and says so, what is neither file, folder nor link', async () => {
    const skipped: string[] = []
    await downloadTree(pair.client.files, '/dev/null', at('nothing'), {
      onSkip: (sentence) => skipped.push(sentence),
    })
    expect(skipped).toEqual(['/dev/null is neither file, folder nor link: left out.'])
  })
})

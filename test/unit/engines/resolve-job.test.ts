import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { SshjobError } from '../../../src/core/errors.js'
import { engines } from '../../../src/engines/engines.js'
import { openFirst, resolveJob } from '../../../src/engines/resolve-job.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

describe('the name of a job', () => {
  const folder = temporaryDirectory()
  const saved = process.env.PATH

  beforeAll(() => {
    mkdirSync(path.join(folder(), 'bin'))
    writeFileSync(path.join(folder(), 'bin/condor_ssh_to_job'), '#!/bin/sh\n', { mode: 0o755 })
  })
  afterEach(() => {
    process.env.PATH = saved
  })
  const withHtcondor = (): void => {
    process.env.PATH = path.join(folder(), 'bin')
  }
  const withoutHtcondor = (): void => {
    process.env.PATH = folder()
  }
  const meanings = (...call: Parameters<typeof resolveJob>): string[] =>
    resolveJob(...call).addresses.map(({ engine, id }) => `${engine} ${id}`)

  it('is looked up on this machine first, and then wherever such names are used', () => {
    withHtcondor()
    expect(meanings('train')).toEqual(['local train'])
    expect(meanings('1138')).toEqual(['local 1138', 'htcondor 1138.0'])
    expect(meanings('htcondor:x')).toEqual(['local htcondor:x'])
  })

  it('is one of the engine before the colon, whether or not that is here', () => {
    withoutHtcondor()
    expect(meanings('htcondor:1138.0.2')).toEqual(['htcondor 1138.0.2'])
  })

  it('is one of the engine that is told where to look, whether or not that is here', () => {
    withoutHtcondor()
    expect(meanings('1138', { htcondor: { pool: 'cm' } })).toEqual(['htcondor 1138.0'])
    expect(() => resolveJob('train', { htcondor: { name: 'ap1' } })).toThrow(
      new SshjobError('usage', "HTCondor has no job 'train': they have numbers."),
    )
    // How a session is to be says nothing of where.
    expect(meanings('1138', { htcondor: { shells: 'zsh' } })).toEqual(['local 1138'])
  })

  it('may be one of an engine that is not here, and then that is said', () => {
    withoutHtcondor()
    expect(meanings('1138')).toEqual(['local 1138'])
    expect(resolveJob('1138').elsewhere).toBe(
      'HTCondor, whose jobs have such names, has no programs in PATH here (condor_ssh_to_job)',
    )
    expect(resolveJob('train').elsewhere).toBeUndefined()
    withHtcondor()
    expect(resolveJob('1138').elsewhere).toBeUndefined()
  })

  it('is tried in each of its meanings while there is no such job, and no longer', async () => {
    withHtcondor()
    const job = resolveJob('1138')
    const missing = new SshjobError('job-not-found', 'There is none.')
    const held = new SshjobError('job-held', 'It is on hold.')
    const opening = (failures: Record<string, SshjobError>): Promise<string> =>
      openFirst(job, async ({ engine }) => {
        if (failures[engine] !== undefined) throw failures[engine]
        return engine
      })
    await expect(opening({})).resolves.toBe('local')
    await expect(opening({ local: missing })).resolves.toBe('htcondor')
    await expect(opening({ local: held })).rejects.toBe(held)
    await expect(opening({ local: missing, htcondor: held })).rejects.toBe(held)
    await expect(opening({ htcondor: held, local: missing })).rejects.toBe(held)
  })
})

describe('an engine', () => {
  it('has a name of its own, and a prefix that is that', () => {
    const names = engines.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    for (const { name, prefix = name } of engines) expect(prefix).toBe(name)
  })

  it('describes its options in ASCII, as half a sentence', () => {
    for (const flag of engines.flatMap(({ flags }) => Object.values(flags))) {
      expect(flag).toMatchObject({
        value: expect.stringMatching(/^[A-Z.,]+$/),
        help: expect.stringMatching(/^[a-z][ -~]*[^.]$/),
      })
    }
  })
})

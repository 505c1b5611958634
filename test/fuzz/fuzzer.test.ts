import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { readAll } from '../helpers/bytes.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'
import { casesIn, readCase } from './core/case-file.js'
import { minimise } from './core/minimise.js'
import { type Script, say } from './core/script.js'

const LIMIT_MS = 180_000

describe('npm run fuzz', () => {
  const directory = temporaryDirectory()

  async function fuzz(...args: string[]): Promise<{ status: unknown; said: string }> {
    const program = ['--import', './test/helpers/register-typescript.mjs', 'test/fuzz/main.ts']
    const child = spawn(process.execPath, [...program, ...args, '--found', directory()], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, SSHJOB_TEST_SUMMARY: '' },
    })
    const [said, [status]] = await Promise.all([readAll(child.stderr), once(child, 'close')])
    return { status, said: said.toString() }
  }

  it(
    'finds what fails, makes it small, keeps it, and goes on with the others',
    async () => {
      const targets = ['--targets', './test/helpers/planted-targets.js']
      const { status, said } = await fuzz('--rounds', '1', '--seed', '1', ...targets)
      expect(said).toMatch(/^Fuzzing throws, rejects, dies, sound for 1 rounds with --seed 1\n/)
      expect(said).toMatch(/\n1 passed, 3 failed, 0 skipped\n$/)
      expect(status).toBe(1)
      const kept = casesIn(directory()).map((name) => readCase(join(directory(), name)))
      const small = kept.map(({ target, failure, script }) => [
        target,
        failure,
        ...script.map(({ bytes }) => bytes.toString()),
      ])
      expect(small.sort()).toEqual([
        ['dies', 'the process ended with SIGKILL', 'quiet'],
        ['rejects', 'planted, and nobody hears it', 'close'],
        ['throws', 'planted', 'open!'],
      ])
    },
    LIMIT_MS,
  )

  it.each([
    ['--minutes', '0'],
    ['--seed', 'x'],
  ])(
    'refuses %s %s',
    async (...args) => {
      const { status, said } = await fuzz(...args)
      expect(said).toMatch(/^Usage: npm run fuzz -- /)
      expect(status).toBe(2)
    },
    LIMIT_MS,
  )
})

describe('a case that is made smaller', () => {
  const fails = (script: Script): boolean =>
    script.some(({ bytes }) => bytes.includes('x') && bytes.length > 2)

  it('loses all that its failure does not need', async () => {
    const script = [say(Buffer.from('abc')), say(Buffer.alloc(200, 'yx')), say(Buffer.from('xyz'), 'send', 9)]
    const smallest = await minimise(script, async (candidates) => {
      const index = candidates.findIndex(fails)
      return index < 0 ? undefined : index
    })
    expect(smallest).toHaveLength(1)
    expect(smallest[0]?.bytes).toHaveLength(3)
    expect(fails(smallest)).toBe(true)
  })
})

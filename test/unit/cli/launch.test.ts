import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { CODE_CACHE_MAX_AGE_MS } from '../../../src/core/limits.js'
import { itAsRoot } from '../../helpers/needs.js'
import { LAUNCH } from '../../helpers/programs.js'

const KEEP = 'globalThis[Symbol.for("sshjob.keep-code")] = true'
const START = 'const [launcher] = process.argv.splice(1, 1); require(launcher).launch(process.argv[1])'

describe('a program that is launched', () => {
  let folder: string
  let program: string
  let cache: string
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'sshjob-test-'))
    program = path.join(folder, 'program.cjs')
    cache = path.join(folder, 'home/.cache/sshjob')
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const write = (...statements: string[]): void => {
    const text = statements.join('\n')
    const mark = createHash('sha256').update(text).digest('hex').slice(0, 16)
    writeFileSync(program, `// ${mark}\n${text}`)
  }
  const start = (env: NodeJS.ProcessEnv) =>
    spawnSync(process.execPath, ['-e', START, LAUNCH, program, 'a b', 'c'], { encoding: 'utf8', env })
  const run = (env: NodeJS.ProcessEnv = { HOME: path.join(folder, 'home') }): string => start(env).stdout
  const kept = (): string[] => (existsSync(cache) ? readdirSync(cache) : [])
  /** Puts what V8 has of one program in the place of another's: whether that is run shows whether it was taken. */
  const mistake = (): void => {
    write('console.log("one")', KEEP)
    run()
    const [one = ''] = kept()
    write('console.log("two")', KEEP)
    run()
    const two = kept().find((name) => name !== one) ?? ''
    renameSync(path.join(cache, one), path.join(cache, two))
  }

  it('is not compiled again, once a run has asked for that', () => {
    write('console.log("one")')
    expect([run(), kept()]).toEqual(['one\n', []])
    mistake()
    expect(run()).toBe('one\n')
  })

  it('is another one once it says so', () => {
    write('console.log("one")', KEEP)
    run()
    write('console.log("two")', KEEP)
    expect(run()).toBe('two\n')
  })

  it('is compiled each time where it does not say which it is', () => {
    writeFileSync(program, `console.log("one"); ${KEEP}`)
    expect([run(), kept()]).toEqual(['one\n', []])
  })

  it('has what was kept beside it', () => {
    mistake()
    renameSync(cache, path.join(folder, 'cache'))
    expect(run()).toBe('one\n')
    expect(kept()).toEqual([])
  })

  it('is compiled where what was kept can’t be used, and that is kept then', () => {
    write('console.log("one")', KEEP)
    run()
    const file = path.join(cache, kept()[0] ?? '')
    writeFileSync(file, 'garbage')
    expect(run()).toBe('one\n')
    mistake()
    expect(run()).toBe('one\n')
  })

  it('takes nothing that others may write', () => {
    mistake()
    for (const name of kept()) chmodSync(path.join(cache, name), 0o666)
    expect(run()).toBe('two\n')
  })

  itAsRoot('neither takes nor leaves anything in the home of another user', async () => {
    mistake()
    const home = path.join(folder, 'home')
    const before = kept()
    chownSync(home, 54_321, 54_321)
    for (const name of before) chownSync(path.join(cache, name), 54_321, 54_321)
    expect(run()).toBe('two\n')
    write('console.log("three")', KEEP)
    expect(run()).toBe('three\n')
    expect(kept()).toEqual(before)
  })

  it('runs without a home, and where nothing can be written', () => {
    write('console.log("one")', KEEP)
    mkdirSync(path.join(folder, 'file'))
    writeFileSync(path.join(folder, 'file/.cache'), '')
    for (const env of [
      {},
      { HOME: '' },
      { HOME: 'relative' },
      { HOME: path.join(folder, 'file') },
      { XDG_CACHE_HOME: '/dev/null' },
    ]) {
      expect(start(env)).toMatchObject({ stdout: 'one\n', stderr: '', status: 0 })
    }
  })

  it('finds its arguments, its name and modules as if it was started by itself, and ends as it wants', () => {
    write(
      `const found = [process.argv.slice(2), __filename, __dirname, typeof require('node:fs'), module.exports === exports]`,
      'console.log(JSON.stringify(found))',
      `${KEEP}; process.exit(7)`,
    )
    const expected = JSON.stringify([['a b', 'c'], program, folder, 'object', true])
    const env = { HOME: path.join(folder, 'home') }
    for (const _ of [1, 2]) expect(start(env)).toMatchObject({ stdout: `${expected}\n`, status: 7 })
  })

  it('removes what has not been renewed for long', () => {
    write('console.log("one")', KEEP)
    run()
    const [old = ''] = kept()
    const then = new Date(Date.now() - CODE_CACHE_MAX_AGE_MS - 60_000)
    utimesSync(path.join(cache, old), then, then)
    write('console.log("another")', KEEP)
    run()
    expect(kept()).toHaveLength(1)
    expect(kept()).not.toContain(old)
  })
})

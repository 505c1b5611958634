import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { describeAsRoot } from '../../helpers/needs.js'
import { LAUNCH } from '../../helpers/programs.js'

const KEEP = 'globalThis[Symbol.for("sshjob.keep-code")] = true'
const START = 'const [launcher] = process.argv.splice(1, 1); require(launcher).launch(process.argv[1])'
const MALLORY = 54_321

describe('a program that is launched', () => {
  let folder: string
  let launcher: string
  let program: string
  let cache: string
  beforeEach(() => {
    // Not in the folder of this run, which other users can't enter.
    folder = mkdtempSync('/tmp/sshjob-test-')
    chmodSync(folder, 0o755)
    launcher = path.join(folder, 'launch.cjs')
    copyFileSync(LAUNCH, launcher)
    program = path.join(folder, 'program.cjs')
    cache = path.join(folder, 'cache')
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const write = (...statements: string[]): void => {
    const text = statements.join('\n')
    const mark = createHash('sha256').update(text).digest('hex').slice(0, 16)
    writeFileSync(program, `// ${mark}\n${text}`)
  }
  const start = (env: NodeJS.ProcessEnv = {}, user: { uid?: number; gid?: number } = {}) =>
    spawnSync(process.execPath, ['-e', START, launcher, program, 'a b', 'c'], {
      encoding: 'utf8',
      cwd: '/',
      env,
      ...user,
    })
  const run = (env?: NodeJS.ProcessEnv): string => start(env).stdout
  const kept = (): string[] => (existsSync(cache) ? readdirSync(cache) : [])
  const entry = (): string => path.join(cache, kept()[0] ?? '')
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

  it('is compiled where what was kept can’t be used, and that is kept then', () => {
    write('console.log("one")', KEEP)
    run()
    writeFileSync(entry(), 'garbage')
    expect(run()).toBe('one\n')
    mistake()
    expect(run()).toBe('one\n')
  })

  it('takes nothing from a home, which a container may share', () => {
    mistake()
    const home = path.join(folder, 'home')
    mkdirSync(path.join(home, '.cache'), { recursive: true })
    renameSync(cache, path.join(home, '.cache/sshjob'))
    mkdirSync(path.join(home, 'cache'))
    symlinkSync('../.cache/sshjob', path.join(home, 'cache/sshjob'))
    expect(run({ HOME: home })).toBe('two\n')
    rmSync(cache, { recursive: true })
    expect(run({ HOME: home, XDG_CACHE_HOME: path.join(home, 'cache') })).toBe('two\n')
    expect(readdirSync(home).sort()).toEqual(['.cache', 'cache'])
  })

  it('takes nothing that others may write, and no link', () => {
    mistake()
    chmodSync(entry(), 0o666)
    expect(run()).toBe('two\n')

    mistake()
    chmodSync(cache, 0o777)
    expect(run()).toBe('two\n')
    chmodSync(cache, 0o755)

    mistake()
    const elsewhere = path.join(folder, 'elsewhere')
    const place = entry()
    renameSync(place, elsewhere)
    symlinkSync(elsewhere, place)
    expect(run()).toBe('two\n')
    rmSync(cache, { recursive: true })

    mistake()
    renameSync(cache, `${elsewhere}-too`)
    symlinkSync(`${elsewhere}-too`, cache)
    expect(run()).toBe('two\n')
  })

  describeAsRoot('of root', () => {
    it('takes nothing of another user', () => {
      mistake()
      chownSync(entry(), MALLORY, MALLORY)
      expect(run()).toBe('two\n')
      mistake()
      chownSync(cache, MALLORY, MALLORY)
      expect(run()).toBe('two\n')
      // Nor is anything left there.
      const before = kept()
      write('console.log("three")', KEEP)
      expect([run(), kept()]).toEqual(['three\n', before])
    })

    it('keeps nothing for another user, who has what root’s runs have kept', () => {
      const mallory = { uid: MALLORY, gid: MALLORY }
      write('console.log("one")', KEEP)
      expect([start({}, mallory).stdout, kept()]).toEqual(['one\n', []])
      // Even where that user could.
      chmodSync(folder, 0o777)
      expect([start({}, mallory).stdout, kept()]).toEqual(['one\n', []])
      chmodSync(folder, 0o755)
      mistake()
      expect(start({}, mallory).stdout).toBe('one\n')
    })

    it('keeps nothing of a program of another user', () => {
      write('console.log("one")', KEEP)
      chownSync(program, MALLORY, MALLORY)
      expect([run(), kept()]).toEqual(['one\n', []])
    })
  })

  it('runs where nothing can be kept', () => {
    write('console.log("one")', KEEP)
    writeFileSync(cache, 'in the way')
    expect(start()).toMatchObject({ stdout: 'one\n', stderr: '', status: 0 })
  })

  it('finds its arguments, its name and modules as if it was started by itself, and ends as it wants', () => {
    write(
      `const found = [process.argv.slice(2), __filename, __dirname, typeof require('node:fs'), module.exports === exports]`,
      'console.log(JSON.stringify(found))',
      `${KEEP}; process.exit(7)`,
    )
    const expected = JSON.stringify([['a b', 'c'], program, folder, 'object', true])
    for (const _ of [1, 2]) expect(start()).toMatchObject({ stdout: `${expected}\n`, status: 7 })
  })
})

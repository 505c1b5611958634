import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runProgram, SSHJOB, startProgram } from '../helpers/programs.js'
import { JOB, starterSuite } from '../helpers/starter.js'

/** Every file that a program of ours has loaded at some time, by names that Node.js looks for in many places. */
const WANTED = [
  'ssh2/lib/protocol/crypto/build/Release/sshcrypto.node.js',
  'ssh2/package.json',
  'koffi/index.js',
  'node-pty/index.js',
  `@koromix/koffi-${process.platform}-${process.arch}/index.js`,
]

describe('code that lies where Node.js would look for packages', () => {
  const { user, start } = starterSuite()
  let place: string
  beforeEach(() => {
    place = mkdtempSync(join(tmpdir(), 'sshjob-test-'))
  })
  afterEach(() => rmSync(place, { recursive: true }))
  const mark = (): string => join(place, 'was-run')

  function plant(directory: string): void {
    for (const name of WANTED) {
      const file = join(directory, name)
      mkdirSync(join(file, '..'), { recursive: true })
      const code = `require('node:fs').writeFileSync(${JSON.stringify(mark())}, __filename)`
      writeFileSync(file, name.endsWith('.json') ? '{"version":"1.17.0"}' : code)
    }
  }

  it('is not run from the home directory, nor from NODE_PATH', async () => {
    plant(join(place, '.node_modules'))
    plant(join(place, '.node_libraries'))
    const env = { ...user().env, HOME: place, NODE_PATH: join(place, '.node_modules') }
    await start({ env: { HOME: place } })
    expect(await runProgram(SSHJOB, [JOB, 'echo in'], { env })).toMatchObject({ exitCode: 0, stdout: 'in\n' })
    expect(existsSync(mark())).toBe(false)
  })

  it('is not run from a directory above the installation', async () => {
    // As a package of its own that nothing was installed for, in a place where others may make directories.
    const own = join(place, 'opt/sshjob')
    cpSync(join(process.cwd(), 'dist'), join(own, 'dist'), { recursive: true })
    writeFileSync(join(own, 'package.json'), '{}')
    plant(join(place, 'opt/node_modules'))
    plant(join(place, 'node_modules'))
    const program = (name: string): string => join(own, `dist/${name}.cjs`)
    const alone = await runProgram(program('sshjob-server'), ['-q', '--', 'true'], { env: user().env })
    expect(alone).toMatchObject({ exitCode: 0 })
    await start()
    const entered = await runProgram(program('sshjob'), [JOB, 'echo in'], { env: user().env })
    expect(entered).toMatchObject({ exitCode: 0, stdout: 'in\n' })
    expect(existsSync(mark())).toBe(false)
    // What the package has itself is used.
    mkdirSync(join(own, 'node_modules'))
    for (const name of ['koffi', 'node-pty', '@koromix'])
      symlinkSync(join(process.cwd(), 'node_modules', name), join(own, 'node_modules', name))
    const job = startProgram(program('sshjob-server'), ['-q', '--', 'echo', 'ran'], { env: user().env })
    expect(await job.ended).toEqual({ exitCode: 0, signal: null })
    expect(existsSync(mark())).toBe(false)
  })
})

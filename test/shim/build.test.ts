import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Spec, Validation } from '@cyclonedx/cyclonedx-library'
import { VERSION } from '../../src/core/version.js'
import { type ProgramResult, runProgram } from '../helpers/programs.js'
import { shimFor } from './shims.js'

const BUILD = join(process.cwd(), 'container-shim/build.mjs')
const SHIMS = process.env.SSHJOB_TEST_SHIMS ?? ''
const PINS = process.env.SSHJOB_TEST_PINS ?? 'container-shim/pins.json'
const DOWNLOADS = process.env.SSHJOB_TEST_DOWNLOADS ?? ''
const ARCHITECTURES = ['x64', 'arm64']
let base: string

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'build-'))
})

afterAll(() => rmSync(base, { recursive: true, force: true }))

interface Pin {
  name: string
  version: string
  integrity?: string
  sha256?: string
}
interface Pins {
  suite: string
  architectures: Record<string, { npm: Pin[]; debian: Pin[] }>
}

const readPins = (): Pins => JSON.parse(readFileSync(PINS, 'utf8'))

/** With pins that are not quite those; downloads into an empty directory, since what is there needn't be fetched. */
async function buildWith(change: (pins: Pins) => void): Promise<ProgramResult> {
  const pins = readPins()
  change(pins)
  const file = join(base, 'pins.json')
  writeFileSync(file, JSON.stringify(pins))
  const places = ['--pins', file, '--out', join(base, 'out'), '--downloads', join(base, 'downloads')]
  const result = await runProgram(BUILD, ['--arch', process.arch, '--no-pack', ...places])
  expect(readdirSync(join(base, 'out'))).toEqual([])
  return result
}

const pinOf = (pins: readonly Pin[] | undefined, name: string): Pin => {
  const found = pins?.find((pin) => pin.name === name)
  if (found === undefined) throw new Error(`no pin of ${name}`)
  return found
}

const hashOf = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex')

describe('a build', () => {
  it('gives the same bytes whenever and wherever it is made', async () => {
    const out = join(base, 'again')
    const script = `umask 077; cd /; exec "$0" "$@"`
    const { exitCode, stderr } = await runProgram(
      'sh',
      [
        '-c',
        script,
        process.execPath,
        BUILD,
        '--arch',
        process.arch,
        '--out',
        out,
        '--pins',
        resolve(PINS),
        '--downloads',
        DOWNLOADS,
      ],
      { env: { ...process.env, TZ: 'Asia/Tokyo', LC_ALL: 'C.UTF-8' } },
    )
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    const archives = readdirSync(out).filter((name) => /\.(tgz|gz|json)$/.test(name))
    expect(archives).toHaveLength(3)
    for (const name of archives)
      expect(`${name} ${hashOf(join(out, name))}`).toBe(`${name} ${hashOf(join(SHIMS, name))}`)
  }, 600_000)

  it('takes nothing that is not what was pinned, from npm', async () => {
    const { exitCode, stderr } = await buildWith(({ architectures }) => {
      pinOf(architectures[process.arch]?.npm, 'koffi').integrity = `sha512-${'A'.repeat(86)}==`
    })
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr:
        'The container shim was not built: koffi 3.3.4 is not the archive that was pinned: nothing of it was used.\n',
    })
  })

  it('takes nothing that is not what was pinned, from Debian', async () => {
    const { exitCode, stderr } = await buildWith(({ architectures }) => {
      pinOf(architectures[process.arch]?.debian, 'base-files').sha256 = '0'.repeat(64)
    })
    const { version } = pinOf(readPins().architectures[process.arch]?.debian, 'base-files')
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: `The container shim was not built: base-files ${version} is not the package that was pinned: it was not used.\n`,
    })
  })

  it('says what to do when Debian has moved on', async () => {
    const { exitCode, stderr } = await buildWith(({ architectures }) => {
      pinOf(architectures[process.arch]?.debian, 'libc6').version = '2.41-1'
    })
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: `The container shim was not built: Debian's mirror has a newer libc6 than the pinned 2.41-1: \`npm run shim -- --renew-pins\` pins what it has now. (The old package, as snapshot.debian.org keeps it, can be put into ${base}/downloads instead.)\n`,
    })
  })

  it.each([
    [['--arch', 'mips'], '--arch mips is none of x64, arm64, all.'],
    [['--strip'], "Unknown option '--strip'"],
  ])('refuses wrong options: %s', async (args, message) => {
    const { exitCode, stderr } = await runProgram(BUILD, args)
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: `The container shim was not built: ${message}\n`,
    })
  })
})

describe.each(ARCHITECTURES)('what is built for %s', (arch) => {
  const archive = (): string => join(SHIMS, `sshjob-shim-${VERSION}-linux-${arch}.tar.gz`)

  it('is an archive of one directory, of nobody in particular, in which only its owner may write', () => {
    const listed = execFileSync('tar', ['-tvzf', archive()], {
      encoding: 'utf8',
      env: { ...process.env, TZ: 'UTC' },
    })
    const entries = listed
      .trim()
      .split('\n')
      .map((line) => /^(\S+) (\S+) +\d+ (\S+ \S+) (.*)$/.exec(line)?.slice(1) ?? [line])
    for (const [mode, owner, time, name] of entries) {
      expect([mode, owner, time]).toEqual([
        expect.stringMatching(/^(drwxr-xr-x|-rw-r--r--|-rwxr-xr-x)$/),
        '0/0',
        '1985-10-26 08:15',
      ])
      expect(name).toMatch(new RegExp(`^sshjob-shim-${VERSION}-linux-${arch}/`))
    }
    const names = entries.map(([, , , name]) => name)
    expect(names).toEqual([...names].sort())
  })

  it('says what it is', () => {
    const said = JSON.parse(readFileSync(join(shimFor(arch), 'shim.json'), 'utf8'))
    const { version } = pinOf(readPins().architectures[arch]?.npm, `node-linux-${arch}`)
    const loader = arch === 'x64' ? 'ld-linux-x86-64.so.2' : 'ld-linux-aarch64.so.1'
    expect(said).toEqual({
      format: 1,
      version: VERSION,
      platform: `linux-${arch}`,
      node: version,
      loader: `lib/${loader}`,
    })
    expect(version).toMatch(/^24\./)
  })

  it('holds the licences of its parts, and where their sources are', () => {
    const folder = join(shimFor(arch), 'LICENSES')
    const readme = readFileSync(join(folder, 'README.txt'), 'utf8')
    const named = [...new Set(readme.match(/[\w.-]+\.txt/g))].sort()
    expect(
      readdirSync(folder)
        .filter((name) => name !== 'README.txt')
        .sort(),
    ).toEqual(named)
    const texts: Record<string, RegExp> = {
      'GPL-2.txt': /GNU GENERAL PUBLIC LICENSE\s+Version 2/,
      'GPL-3.txt': /GNU GENERAL PUBLIC LICENSE\s+Version 3/,
      'LGPL-2.1.txt': /GNU LESSER GENERAL PUBLIC LICENSE\s+Version 2\.1/,
      'gcc.txt': /GCC RUNTIME LIBRARY EXCEPTION/,
      'nodejs.txt': /OpenSSL/,
      'sshjob-packages.txt': /^ssh2 1\./m,
    }
    for (const [name, text] of Object.entries(texts))
      expect(readFileSync(join(folder, name), 'utf8')).toMatch(text)
    expect(readme).toMatch(/^ {2}busybox \S+\n {2}gcc-14 \S+\n(?: {2}glibc \S+\n)+/m)
    for (const name of readdirSync(join(shimFor(arch), 'lib')))
      expect(name).toMatch(
        /^(lib(stdc\+\+|gcc_s|c|m|dl|pthread|util|nss_compat)\.so\.\d|ld-linux-.*|openssl\.cnf)$/,
      )
  })

  it('has a list of its parts, which is valid, beside it and in the package of npm', async () => {
    const name = `sshjob-shim-${VERSION}-linux-${arch}.cdx.json`
    const text = readFileSync(join(SHIMS, name), 'utf8')
    expect(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(text)).toBeNull()
    const { components }: { components: { name: string; version: string }[] } = JSON.parse(text)
    const { npm = [], debian = [] } = readPins().architectures[arch] ?? {}
    const inside = debian.filter((pin) => !['base-files', 'gcc-14-base'].includes(pin.name))
    expect(components).toEqual(
      expect.arrayContaining(
        [...npm, ...inside].map((pin) => expect.objectContaining({ name: pin.name, version: pin.version })),
      ),
    )
    for (const part of ['openssl', 'v8', 'libuv', 'zlib', 'node-pty', 'ssh2', 'pino'])
      expect(components.map((component) => component.name)).toContain(part)
    const packed = execFileSync('tar', [
      '-xzOf',
      join(SHIMS, `sshjob-shim-linux-${arch}-${VERSION}.tgz`),
      `package/${name}`,
    ])
    expect(packed.toString()).toBe(text)
  })

  it('is a package of npm for this platform alone, without install scripts', () => {
    const file = join(SHIMS, `sshjob-shim-linux-${arch}-${VERSION}.tgz`)
    const manifest = JSON.parse(
      execFileSync('tar', ['-xzOf', file, 'package/package.json'], { encoding: 'utf8' }),
    )
    expect(manifest).toMatchObject({
      name: `sshjob-shim-linux-${arch}`,
      version: VERSION,
      os: ['linux'],
      cpu: [arch],
    })
    expect(manifest.scripts).toBeUndefined()
    const inPackage = execFileSync('tar', ['-tzf', file], { encoding: 'utf8' })
      .split('\n')
      .filter((name) => name.startsWith('package/shim/'))
    const inArchive = execFileSync('tar', ['-tzf', archive()], { encoding: 'utf8' })
      .split('\n')
      .filter((name) => name !== '' && !name.endsWith('/'))
    expect(inPackage.map((name) => name.replace('package/shim/', '')).sort()).toEqual(
      inArchive.map((name) => name.replace(/^[^/]*\//, '')).sort(),
    )
  })
})

test('koffi is pinned as the dependency is, where there is one', () => {
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
  for (const arch of ARCHITECTURES) {
    const pins = readPins().architectures[arch]?.npm
    for (const name of ['koffi', `@koromix/koffi-linux-${arch}`])
      expect(pinOf(pins, name).version).toBe(dependencies.koffi ?? '3.3.4')
  }
})

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { VERSION } from '../../src/core/version.js'
import { findShim, shimCommand } from '../../src/enter/shim.js'
import { type ProgramResult, runProgram } from '../helpers/programs.js'

const SHIMS = process.env.SSHJOB_TEST_SHIMS ?? ''
/** scripts/test.mjs takes them out of the way. */
const { SSHJOB_TEST_CERTIFICATES } = process.env
const certificates = SSHJOB_TEST_CERTIFICATES ? { NODE_EXTRA_CA_CERTS: SSHJOB_TEST_CERTIFICATES } : {}
const NPM_OPTIONS = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']
let base: string

async function run(command: string, args: readonly string[], cwd = base): Promise<ProgramResult> {
  const result = await runProgram(command, args, { cwd, env: { ...process.env, ...certificates } })
  if (result.exitCode !== 0) throw new Error(`${command} ${args.join(' ')}: ${result.stdout}${result.stderr}`)
  return result
}

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'release-'))
  await run('npm', ['pack', '--loglevel=error', '--pack-destination', base], process.cwd())
  writeFileSync(join(base, 'package.json'), '{ "private": true }\n')
})

afterAll(() => rmSync(base, { recursive: true, force: true }))

test('installed beside sshjob, the package of this platform is found, and runs', async () => {
  const shim = join(SHIMS, `sshjob-shim-linux-${process.arch}-${VERSION}.tgz`)
  await run('npm', ['install', ...NPM_OPTIONS, `./sshjob-${VERSION}.tgz`, shim])
  const found = await findShim({ program: join(base, 'node_modules/sshjob/dist/programs/sshjob.cjs') })
  expect(found.directory).toBe(join(base, `node_modules/sshjob-shim-linux-${process.arch}/shim`))
  const [loader = '', ...words] = shimCommand(found, 'sshjob-server.cjs')
  expect((await run(loader, [...words, '--version'])).stdout).toBe(`sshjob-server ${VERSION}\n`)
  expect((await run(join(found.directory, 'sshjob-server'), ['--version'])).stdout).toBe(
    `sshjob-server ${VERSION}\n`,
  )
})

test('what is published names the packages of the shims, of its version, and else is what is packed', async () => {
  const script = `import { packSshjob } from ${JSON.stringify(join(process.cwd(), 'container-shim/pack-sshjob.mjs'))}
    console.log(packSshjob(process.argv[1], process.argv[2]))`
  const out = join(base, 'published')
  mkdirSync(out)
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script, process.cwd(), out])
  const manifestIn = async (archive: string): Promise<object> =>
    JSON.parse((await run('tar', ['-xzOf', archive, 'package/package.json'])).stdout)
  const { optionalDependencies, ...rest }: Record<string, unknown> = { ...(await manifestIn(stdout.trim())) }
  expect(optionalDependencies).toEqual({
    'sshjob-shim-linux-x64': VERSION,
    'sshjob-shim-linux-arm64': VERSION,
  })
  const packed = join(base, `sshjob-${VERSION}.tgz`)
  const {
    scripts: _,
    devDependencies: __,
    ...plain
  }: Record<string, unknown> = { ...(await manifestIn(packed)) }
  expect(rest).toEqual(plain)
  const namesIn = async (archive: string): Promise<string[]> =>
    (await run('tar', ['-tzf', archive])).stdout.split('\n').sort()
  expect(await namesIn(stdout.trim())).toEqual(await namesIn(packed))
})

test('the checkout names no package that is made of it: npm ci asks for none', () => {
  for (const name of ['package.json', 'package-lock.json'])
    expect(readFileSync(name, 'utf8')).not.toContain('sshjob-shim')
})

test('npm publish in a checkout is refused', async () => {
  const { exitCode, stderr } = await runProgram('npm', ['run', '--silent', 'prepublishOnly'])
  expect({ exitCode, stderr }).toEqual({
    exitCode: 1,
    stderr: 'Publish what npm run release makes: packages of the container shim belong to it.\n',
  })
})

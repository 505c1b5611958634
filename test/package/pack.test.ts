import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type ProgramResult, runProgram } from '../helpers/programs.js'

/** scripts/test.mjs takes them out of the way. */
const { SSHJOB_TEST_CERTIFICATES } = process.env
const certificates = SSHJOB_TEST_CERTIFICATES ? { NODE_EXTRA_CA_CERTS: SSHJOB_TEST_CERTIFICATES } : {}

/** What a user gets: the packed project, installed without install scripts in a folder that is empty but for it. */
let folder: string
let packed: string[]
const COMPILED = 'dist/programs/cache/compiled'

const NPM_OPTIONS = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']

async function run(command: string, args: readonly string[], cwd = folder): Promise<ProgramResult> {
  const result = await runProgram(command, args, { cwd, env: { ...process.env, ...certificates } })
  if (result.exitCode !== 0) throw new Error(`${command} ${args.join(' ')}: ${result.stdout}${result.stderr}`)
  return result
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pack-'))
  // As any session leaves it there: what V8 has compiled is for this machine alone.
  await mkdir(dirname(COMPILED), { recursive: true })
  await writeFile(COMPILED, '')
  await run('npm', ['pack', '--loglevel=error', '--pack-destination', folder], process.cwd())
  await rm(COMPILED)
  packed = (await readdir(folder)).filter((name) => name.endsWith('.tgz'))
  await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n')
  await run('npm', ['install', ...NPM_OPTIONS, ...packed.map((name) => `./${name}`)])
}, 180_000)

afterAll(() => rm(folder, { recursive: true, force: true }))

test('one archive is packed, with all programs, their man pages, the types, the licences and the documents', async () => {
  expect(packed).toHaveLength(1)
  const { stdout } = await run('tar', ['-tzf', ...packed])
  const files = stdout.split('\n')
  for (const name of [
    'LICENSE',
    'README.md',
    'CHANGELOG.md',
    'dist/THIRD-PARTY-LICENSES.txt',
    'dist/index.js',
    'dist/man/sshjob-keygen.1',
    'dist/man/sshjob-server.1',
    'dist/man/sshjob.1',
    'dist/sshjob-files.cjs',
    'dist/sshjob-server',
    'dist/sshjob-server.cjs',
    'dist/sshjob.cjs',
    'dist/types/index.d.ts',
  ])
    expect(files).toContain(`package/${name}`)
  const others = /^package\/(src|test|scripts|node_modules|dist\/programs\/cache)\//
  expect(files.filter((name) => others.test(name))).toEqual([])
})

test('an installation needs no install script: none is left to be run for the product to work', async () => {
  expect((await stat(join(folder, 'node_modules/sshjob/dist/sshjob.cjs'))).mode & 0o777).toBe(0o755)
  const { stdout } = await run('npx', ['--no-install', 'sshjob', '--version'])
  expect(stdout).toMatch(/^sshjob \d+\.\d+\.\d+\n$/)
  expect((await run('npx', ['--no-install', 'sshjob-server', '--version'])).stdout).toMatch(
    /^sshjob-server \d+\.\d+\.\d+\n$/,
  )
})

test('an installation for all puts the man pages where man(1) looks for them', async () => {
  const prefix = join(folder, 'prefix')
  await run('npm', [
    'install',
    '--global',
    '--prefix',
    prefix,
    ...NPM_OPTIONS,
    ...packed.map((name) => `./${name}`),
  ])
  expect((await readdir(join(prefix, 'share/man/man1'))).sort()).toEqual([
    'sshjob-keygen.1',
    'sshjob-server.1',
    'sshjob.1',
  ])
  expect(await readFile(join(prefix, 'share/man/man1/sshjob.1'), 'utf8')).toMatch(/^\.Dd .*\n\.Dt SSHJOB 1\n/)
}, 120_000)

test('the demo runs in an installation', async () => {
  const { stdout } = await run('npx', ['--no-install', 'sshjob', 'demo'])
  expect(stdout).toContain('exit status')
})

test('a terminal can be opened in an installation: the pseudo-terminal needs no compiler', async () => {
  await writeFile(
    join(folder, 'terminal.js'),
    `import { connect, localJob, serve, streamPair } from 'sshjob'
     const [here, there] = streamPair()
     serve(there, localJob({ id: 'packed', command: ['packed'], pids: () => [process.pid] }))
     const connection = await connect(here)
     const tty = await connection.exec('test -t 0 && tty', { pty: true, stdin: null })
     process.stdout.write((await tty.output()).stdout)
     await connection.close()`,
  )
  expect((await run('node', ['terminal.js'])).stdout).toMatch(/^\/dev\/pts\/\d+\r\n$/)
})

test('the example of two sessions runs in an installation', async () => {
  const { stdout } = await run('node', ['node_modules/sshjob/examples/two-sessions.mjs'])
  expect(stdout).toContain('A WORD')
})

test('the types of an installation are found by a strict TypeScript program', async () => {
  const types = join(process.cwd(), 'node_modules')
  await mkdir(join(folder, 'node_modules/@types'), { recursive: true })
  await symlink(join(types, '@types/node'), join(folder, 'node_modules/@types/node'))
  await writeFile(
    join(folder, 'consumer.ts'),
    `import { connectToJob, SshjobError, type Output } from 'sshjob'
     export async function run(): Promise<Output> {
       await using connection = await connectToJob('train', { signal: AbortSignal.timeout(1000) })
       const command = await connection.exec('true', { env: { A: 'b' }, stdin: null })
       return command.output({ limit: 1024 })
     }
     export const isUsage = (error: unknown): boolean => error instanceof SshjobError && error.code === 'usage'
     // @ts-expect-error: a job is named by a string
     connectToJob(7)\n`,
  )
  const options =
    '--noEmit --strict --module NodeNext --target ES2022 --lib ES2023,ESNext.Disposable --types node'
  await run(process.execPath, [join(types, 'typescript/bin/tsc'), ...options.split(' '), 'consumer.ts'])
})

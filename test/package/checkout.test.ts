import { cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { runProgram } from '../helpers/programs.js'

/** scripts/test.mjs takes them out of the way. */
const { SSHJOB_TEST_CERTIFICATES } = process.env
const certificates = SSHJOB_TEST_CERTIFICATES ? { NODE_EXTRA_CA_CERTS: SSHJOB_TEST_CERTIFICATES } : {}

/** What a clone does not have. */
const NOT_IN_A_CLONE = /^(\.git|node_modules|dist|dist\.(new|old)-\d+)$/

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'checkout-'))
  const root = process.cwd()
  await cp(root, join(folder, 'clone'), {
    recursive: true,
    filter: (source) => source === root || !NOT_IN_A_CLONE.test(basename(source)),
  })
})

afterAll(() => rm(folder, { recursive: true, force: true }))

test('a fresh clone is installed by one command, into a prefix of the user', async () => {
  const prefix = join(folder, 'local')
  const env = { ...process.env, ...certificates }
  const installed = await runProgram('npm', ['install', '-g', '--prefix', prefix, '.'], {
    cwd: join(folder, 'clone'),
    env,
  })
  expect(installed).toMatchObject({ exitCode: 0 })
  expect((await readdir(join(prefix, 'bin'))).sort()).toEqual(['sshjob', 'sshjob-keygen', 'sshjob-server'])
  for (const name of ['sshjob', 'sshjob-server']) {
    const { stdout } = await runProgram(join(prefix, 'bin', name), ['--version'])
    expect(stdout).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+\n$`))
  }
  const demo = await runProgram(join(prefix, 'bin/sshjob'), ['demo'], { cwd: folder })
  expect(demo).toMatchObject({ exitCode: 0, stderr: '' })
}, 180_000)
